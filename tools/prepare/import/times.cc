#include "tools/prepare/import/times.h"

#include <chrono>
#include <cmath>

namespace dyad::importer {
namespace {

// Takes two (or `digits`) digits off the front; nothing where they are none or more than `max`.
std::optional<int> take(std::string_view& text, std::size_t digits, int max) {
  if (text.size() < digits || text[0] == '-' || text[0] == '+') return std::nullopt;
  const auto value = number<int>(text.substr(0, digits));
  if (!value || *value > max) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}
bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// ":MM" or, in a zone, "MM" too.
std::optional<int> minutes(std::string_view& text, bool colon_may_lack) {
  if (!take(text, ':') && !colon_may_lack) return std::nullopt;
  return take(text, 2, 59);
}

// Seconds east of UTC; nothing where the rest of `text` is no zone.
std::optional<std::int64_t> zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return std::nullopt;
  const auto h = take(text, 2, 23);
  const auto m = !h ? std::nullopt : text.empty() ? std::optional(0) : minutes(text, true);
  if (!m || !text.empty()) return std::nullopt;
  return (west ? -1 : 1) * (*h * 3600 + *m * 60);
}

// The time of day, moved by its zone; 0 where there is none.
std::optional<std::int64_t> clock_of(std::string_view text) {
  if (text.empty()) return 0;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto h = take(text, 2, 23);
  const auto m = h ? minutes(text, false) : std::nullopt;
  if (!m) return std::nullopt;
  int s = 0;
  if (take(text, ':')) {
    const auto given = take(text, 2, 60);                    // 60: a leap second
    if (!given) return std::nullopt;
    s = *given;
    if (take(text, '.') || take(text, ','))
      text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const auto east = zone(text);
  return east ? std::optional<std::int64_t>(*h * 3600 + *m * 60 + s - *east) : std::nullopt;
}

std::optional<std::int64_t> date(std::string_view text) {
  const auto year = take(text, 4, 9999);
  const auto month = year && take(text, '-') ? take(text, 2, 12) : std::nullopt;
  const auto day = month && take(text, '-') ? take(text, 2, 31) : std::nullopt;
  if (!day) return std::nullopt;
  const std::chrono::year_month_day when{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  const auto of_day = clock_of(text);
  if (!when.ok() || !of_day) return std::nullopt;
  const std::int64_t out = std::int64_t{std::chrono::sys_days(when).time_since_epoch().count()} * 86'400 + *of_day;
  return out >= 0 ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> seconds(double value) {
  if (!(value >= 0 && value < 9e18) && value != -1) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(value));
}

std::optional<std::int64_t> seconds(std::string_view text) {
  if (const auto whole = number<std::int64_t>(text)) return *whole >= -1 ? whole : std::nullopt;
  if (const auto real = number<double>(text)) return seconds(*real);
  return date(text);
}

}  // namespace dyad::importer
