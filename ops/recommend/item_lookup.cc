#include "ops/recommend/item_lookup.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace dyad::ops {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::set<std::string_view> trigrams(std::string_view text) {
  std::set<std::string_view> out;
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) out.insert(text.substr(i, 3));
  return out;
}

}  // namespace

ItemLookup::ItemLookup(std::span<const data::Item> items) : items_(items) {
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    lower_titles_.push_back(lower(items[i].title));
    exact_.emplace(lower(items[i].key), ItemId{i});
  }
  for (std::uint32_t i = 0; i < items.size(); ++i)
    if (!lower_titles_[i].empty()) exact_.emplace(lower_titles_[i], ItemId{i});
}

Result<ItemId> ItemLookup::by_part(std::string_view part) const {
  const std::string wanted = lower(part);
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < lower_titles_.size(); ++i)
    if (lower_titles_[i].find(wanted) != std::string::npos) found.push_back(i);
  if (found.size() == 1) return ItemId{found[0]};
  if (found.empty()) {
    const auto near = nearest(wanted);
    return fail(Code::kNotFound, "no item has the title or the id \"{}\"{}{}", part,
                near.empty() ? "; catalogue.jsonl of the dataset lists them" : "; the nearest titles:", listed(near));
  }
  return fail(Code::kInvalid, "\"{}\" is a part of {} titles; give more of it, or an id:{}", part, found.size(),
              listed(found));
}

std::string ItemLookup::listed(std::span<const std::uint32_t> items) const {
  std::string some;
  for (const std::uint32_t i : items.first(std::min<std::size_t>(items.size(), 4)))
    some += fmt::format("\n  {}  {}", items_[i].key, items_[i].title);
  return some;
}

// By the share of three-letter pieces in common (Jaccard), at least a fifth of them; best first, at most 3.
std::vector<std::uint32_t> ItemLookup::nearest(std::string_view wanted) const {
  const auto pieces = trigrams(wanted);
  std::vector<std::pair<double, std::uint32_t>> scored;
  for (std::uint32_t i = 0; i < lower_titles_.size(); ++i) {
    const auto own = trigrams(lower_titles_[i]);
    const auto common = static_cast<double>(std::ranges::count_if(own, [&](auto p) { return pieces.contains(p); }));
    const double share = common / std::max(1.0, static_cast<double>(pieces.size() + own.size()) - common);
    if (share >= 0.2) scored.emplace_back(-share, i);
  }
  std::ranges::sort(scored);
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < std::min<std::size_t>(scored.size(), 3); ++i) out.push_back(scored[i].second);
  return out;
}

Result<std::vector<ItemId>> ItemLookup::parse(std::string_view history) const {
  std::vector<std::size_t> begin{0};                      // of each piece
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history[i] == ',') begin.push_back(i + 1);
  begin.push_back(history.size() + 1);
  const auto piece = [&](std::size_t from, std::size_t to) {
    return trim(history.substr(begin[from], begin[to] - 1 - begin[from]));
  };
  std::vector<ItemId> out;
  for (std::size_t from = 0; from + 1 < begin.size();) {
    std::size_t to = begin.size() - 1;
    auto hit = exact_.end();
    for (; to > from; --to)
      if ((hit = exact_.find(lower(piece(from, to)))) != exact_.end()) break;
    if (hit != exact_.end()) {
      out.push_back(hit->second);
      from = to;
      continue;
    }
    if (const auto part = piece(from, from + 1); !part.empty()) {
      DYAD_TRY(item, by_part(part));
      out.push_back(item);
    }
    ++from;
  }
  if (out.empty()) return fail(Code::kInvalid, "the history is empty; give titles or ids, separated by commas");
  return out;
}

}  // namespace dyad::ops
