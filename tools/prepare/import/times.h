#pragma once
// Times as files have them. An event carries whole seconds; the order of rows, ties and --distinct go by the full time.
// Threads: any.
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dyad::importer {

struct Time {                                // since 1970
  std::int64_t s = -1;                       // -1 alone is "unknown"
  std::uint32_t ns = 0;                      // below 1e9
  bool is_known() const { return s != -1; }
  auto operator<=>(const Time&) const = default;
  std::string text() const;                  // "12" or "12.5"
};

// The whole of `text` as a number, or nothing.
template <class T> std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
// Seconds, not negative but for -1.
std::optional<Time> parse_time(double seconds);
// A number as above, to the nanosecond (what is finer is cut off), or a date: 2014-07-23, 2014-07-23 10:30:00,
// 2014-07-23T10:30:00.25Z, ...+02:00. One that names no zone is taken as UTC.
std::optional<Time> parse_time(std::string_view text);

}  // namespace dyad::importer
