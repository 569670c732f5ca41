#include "common/config/nearest.h"

#include <algorithm>
#include "common/config/keys.h"

namespace dyad::config {
namespace {
bool is_near(std::size_t distance, std::size_t length) { return distance <= std::max<std::size_t>(1, length / 3); }
}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) old[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({old[j] + 1, now[j - 1] + 1, old[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], older[j - 2] + 1);
    }
    std::swap(older, old);
    std::swap(old, now);
  }
  return old[b.size()];
}

std::string nearest_of(std::string_view word, const std::vector<std::string>& names) {
  std::string best;
  std::size_t best_distance = word.size() + 1;
  for (const auto& name : names) {
    const auto distance = edit_distance(word, name);
    if (distance < best_distance) { best = name; best_distance = distance; }
  }
  return is_near(best_distance, word.size()) ? best : "";
}

std::string nearest_key(std::string_view full_name) {
  const auto dot = full_name.find('.');
  const auto section = dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
  const auto name = dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
  std::string best;
  std::size_t best_distance = full_name.size() + 1;
  for (const Key& key : keys()) {
    // A wrong section costs at most 1 (people forget where a key lives), a wrong name costs its distance.
    const auto name_distance = edit_distance(name, key.name);
    if (!is_near(name_distance, name.size())) continue;
    const auto distance = 2 * name_distance + std::min<std::size_t>(edit_distance(section, key.section), 1);
    if (distance < best_distance) { best = key.full_name(); best_distance = distance; }
  }
  return best;
}

}  // namespace dyad::config
