#pragma once
// Times as files have them, in the seconds since 1970 that an event carries: -1 alone is "unknown". Threads: any.
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dyad::importer {

// The whole of `text` as a number, or nothing.
template <class T> std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
// Whole, or a fraction (cut off), not negative but for -1.
std::optional<std::int64_t> seconds(double value);
// A number as above, or a date: 2014-07-23, 2014-07-23 10:30:00, 2014-07-23T10:30:00.25Z, ...+02:00. One that names no
// zone is taken as UTC; the fraction of a second is cut off.
std::optional<std::int64_t> seconds(std::string_view text);

}  // namespace dyad::importer
