#pragma once
// The evaluator of a job (`dyad eval --follow`) as its launcher keeps it: one that dies is started again, at once and
// then after growing pauses, a bounded number of times from one checkpoint to the next; it goes on with what has no
// result yet. Training neither waits for it nor ends with it. Threads: one.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include "common/base/clock.h"
#include "ops/launch/child.h"
#include "ops/launch/restarts.h"

namespace dyad::ops {

class Evaluator {
 public:
  Evaluator(std::filesystem::path job_dir, std::uint32_t restarts_max)
      : job_dir_(std::move(job_dir)), restarts_(restarts_max) {}
  Status start();                                // nothing if it was started already
  void keep(Millis now);                         // cheap; call it again and again while the job runs
  // Lets it evaluate what is there and leave, however long it works at that. `tick` is called meanwhile; `stop` ends
  // the wait.
  void finish(const std::function<void()>& tick, const std::function<bool()>& stop);
  void ask_to_leave();                           // it has ranks to end
  void kill();

 private:
  Status launch();
  void died(int code, Millis now);
  const std::filesystem::path job_dir_;
  Restarts restarts_;
  std::optional<Child> child_;
  std::optional<Millis> start_ms_;               // when a dead one is to be started again
  bool is_given_up_ = false;
};

}  // namespace dyad::ops
