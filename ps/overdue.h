#pragma once
// When to say of work that it takes long: every so often while it lasts. A disk that hangs stops no heartbeat, so
// nobody else says it. Pure. Threads: one.
#include <optional>
#include "common/base/ids.h"

namespace dyad::ps {

class Overdue {
 public:
  explicit Overdue(double every_s) : every_s_(every_s) {}
  // `at_work`: the step whose work is not done by now, if any. How long that lasts, when it is time to say so.
  std::optional<double> due(std::optional<Step> at_work, double now_s) {
    const Step step = at_work.value_or(Step{});
    if (at_work.has_value() != busy_ || step != step_) {
      busy_ = at_work.has_value();
      step_ = step;
      since_s_ = now_s;
      next_s_ = now_s + every_s_;
    }
    if (!busy_ || now_s < next_s_) return std::nullopt;
    next_s_ = now_s + every_s_;
    return now_s - since_s_;
  }

 private:
  const double every_s_;
  bool busy_ = false;
  Step step_;                                    // of the work, while busy
  double since_s_ = 0, next_s_ = 0;
};

}  // namespace dyad::ps
