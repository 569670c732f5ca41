#pragma once
// Numbers on the command line: one rule and one text for all commands, naming option, value and range.
#include <charconv>
#include <cstdint>
#include <string>
#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace dyad::ops {

inline constexpr std::uint64_t kThreadsMax = 1024, kSizeMax = 1'000'000;

template <class Number> CLI::Validator number_in(Number least, Number most, const char* kind) {
  return CLI::Validator(
      [=](std::string& text) {
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool is_in = error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
        return is_in ? std::string() : fmt::format("{} is no {} from {} to {}", text, kind, least, most);
      },
      fmt::format("{}..{}", least, most));
}
inline CLI::Validator whole_in(std::uint64_t least, std::uint64_t most) {
  return number_in<std::uint64_t>(least, most, "whole number");
}
inline CLI::Validator real_in(double least, double most) { return number_in<double>(least, most, "number"); }
inline CLI::Validator threads_in_range() { return whole_in(1, kThreadsMax); }

}  // namespace dyad::ops
