#pragma once
// How often a job is started again, and after what pause: again and again as long as it comes further in between, a
// bounded number of times from one place. The first time at once, for most deaths are one process's; then after 1, 2,
// 4 ... s, so that a cause that lasts (a full disk, a network that is away) has some minutes to go. Threads: one.
#include <algorithm>
#include <cstdint>
#include <optional>
#include "common/base/clock.h"

namespace dyad::ops {

class Restarts {
 public:
  explicit Restarts(std::uint32_t most) : most_(most) {}
  // One more, of a job whose last checkpoint is of `step` (0: none): the pause before it, or nothing: no more.
  std::optional<Millis> next(std::uint64_t step) {
    if (step > step_) count_ = 0;
    step_ = std::max(step_, step);
    if (count_ >= most_) return std::nullopt;
    return ++count_ == 1 ? 0 : std::min<Millis>(kPauseMsMax, Millis{1000} << std::min(count_ - 2, 16u));
  }
  std::uint32_t count() const { return count_; }     // since the last new checkpoint
  std::uint32_t most() const { return most_; }

 private:
  static constexpr Millis kPauseMsMax = 60'000;
  const std::uint32_t most_;
  std::uint32_t count_ = 0;
  std::uint64_t step_ = 0;
};

}  // namespace dyad::ops
