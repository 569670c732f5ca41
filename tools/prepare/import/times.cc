#include "tools/prepare/import/times.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

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

// Takes the digits off the front, as the fraction behind a point.
std::uint32_t take_nanos(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 9; ++i) out = out * 10 + (i < digits ? static_cast<std::uint32_t>(text[i] - '0') : 0);
  text.remove_prefix(digits);
  return out;
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
std::optional<Time> clock_of(std::string_view text) {
  if (text.empty()) return Time{0};
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto h = take(text, 2, 23);
  const auto m = h ? minutes(text, false) : std::nullopt;
  if (!m) return std::nullopt;
  int s = 0;
  std::uint32_t ns = 0;
  if (take(text, ':')) {
    const auto given = take(text, 2, 60);                    // 60: a leap second
    if (!given) return std::nullopt;
    s = *given;
    if (take(text, '.') || take(text, ',')) ns = take_nanos(text);
  }
  const auto east = zone(text);
  return east ? std::optional(Time{*h * 3600 + *m * 60 + s - *east, ns}) : std::nullopt;
}

std::optional<Time> date(std::string_view text) {
  const auto year = take(text, 4, 9999);
  const auto month = year && take(text, '-') ? take(text, 2, 12) : std::nullopt;
  const auto day = month && take(text, '-') ? take(text, 2, 31) : std::nullopt;
  if (!day) return std::nullopt;
  const std::chrono::year_month_day when{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  const auto of_day = clock_of(text);
  if (!when.ok() || !of_day) return std::nullopt;
  const std::int64_t out = std::int64_t{std::chrono::sys_days(when).time_since_epoch().count()} * 86'400 + of_day->s;
  return out >= 0 ? std::optional(Time{out, of_day->ns}) : std::nullopt;
}

// Digits with a point among them: exact, where a double of today's seconds steps by 240 ns.
std::optional<Time> decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.find_first_not_of("0123456789.") != std::string_view::npos)
    return std::nullopt;
  const auto whole = number<std::int64_t>(text.substr(0, point));
  text.remove_prefix(point + 1);
  if (!whole || text.empty()) return std::nullopt;
  const std::uint32_t ns = take_nanos(text);
  return text.empty() ? std::optional(Time{*whole, ns}) : std::nullopt;
}

}  // namespace

std::string Time::text() const {
  std::string out = fmt::format("{}.{:09}", s, ns);
  if (ns == 0) return fmt::format("{}", s);
  return out.substr(0, out.find_last_not_of('0') + 1);
}

std::optional<Time> parse_time(double seconds) {
  if (seconds == -1) return Time{};
  if (!(seconds >= 0 && seconds < 9e18)) return std::nullopt;
  const double whole = std::floor(seconds);
  return Time{static_cast<std::int64_t>(whole), static_cast<std::uint32_t>((seconds - whole) * 1e9)};
}

std::optional<Time> parse_time(std::string_view text) {
  if (const auto whole = number<std::int64_t>(text)) return *whole >= -1 ? std::optional(Time{*whole}) : std::nullopt;
  if (const auto exact = decimal(text)) return exact;
  if (const auto real = number<double>(text)) return parse_time(*real);
  return date(text);
}

}  // namespace dyad::importer
