#pragma once
// Where a step's time goes, summed by phase. Threads: one.
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include "common/base/clock.h"

namespace dyad::worker {

enum class Phase { kRead, kPull, kForward, kBackward, kAllReduce, kOptimizer, kPush, kCut };
inline constexpr std::array<const char*, 8> kPhaseNames{
    "read", "pull_wait", "forward", "backward", "all_reduce_wait", "optimizer", "push", "cut"};

class PhaseTimes {
 public:
  // Ends the phase that was running and starts another.
  void enter(Phase phase) {
    const double now = steady_now_s();
    if (running_) seconds_[static_cast<std::size_t>(phase_)] += now - since_;
    phase_ = phase;
    since_ = now;
    running_ = true;
  }
  void leave() {
    enter(phase_);
    running_ = false;
  }
  double seconds(Phase phase) const { return seconds_[static_cast<std::size_t>(phase)]; }
  double total() const {
    double sum = 0;
    for (const double s : seconds_) sum += s;
    return sum;
  }
  std::map<std::string, double> by_name() const {   // "phase_forward_seconds_total": 12.3
    std::map<std::string, double> out;
    for (std::size_t i = 0; i < seconds_.size(); ++i)
      out[std::string("phase_") + kPhaseNames[i] + "_seconds_total"] = seconds_[i];
    return out;
  }

 private:
  std::array<double, kPhaseNames.size()> seconds_{};
  Phase phase_ = Phase::kRead;
  double since_ = 0;
  bool running_ = false;
};

}  // namespace dyad::worker
