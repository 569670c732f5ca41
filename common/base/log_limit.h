#pragma once
// For lines that a peer can cause as often as it likes: a few, then one an interval that says how many were left out.
// Threads: any.
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include "common/base/clock.h"

namespace dyad {

class LogLimit {
 public:
  explicit LogLimit(std::uint32_t burst = 5, Millis interval_ms = 10'000) : burst_(burst), interval_ms_(interval_ms) {}
  // Empty: write nothing now. Else write the line, and this behind it: "", or " (and 41 more like it)".
  std::optional<std::string> take(Millis now = steady_now_ms());

 private:
  const std::uint32_t burst_;
  const Millis interval_ms_;
  std::mutex mutex_;
  std::uint32_t written_ = 0;
  std::uint64_t left_out_ = 0;
  Millis since_ms_ = 0;
};

}  // namespace dyad
