#pragma once
// For options that count: the command line's parser takes -5 for 18446744073709551611. Threads: any; no state.
#include <string>
#include <fmt/format.h>

namespace dyad::ops {

// As CLI11 wants checks: what is wrong with the text, or nothing.
inline std::string not_negative(const std::string& text) {
  return text.starts_with('-') ? fmt::format("{} is below 0", text) : std::string();
}

}  // namespace dyad::ops
