#pragma once
// The steps of a job in their order, as every rank and every restart counts them: epochs of global batches, and where
// each step ends. A pure core. Threads: one.
#include <cstdint>
#include <optional>
#include "common/base/ids.h"

namespace dyad::worker {

struct Cursor {                              // where a run stands: `step` is done, `batch` of `epoch` comes next
  Step step;
  std::uint64_t epoch = 0, batch = 0;        // counted from 0
  bool operator==(const Cursor&) const = default;
};

struct StepPlace {                           // of one step, counted from 1
  Step step;
  std::uint64_t epoch = 0, batch = 0;
  bool last_of_epoch = false, last_of_job = false;
  Cursor after() const { return last_of_epoch ? Cursor{step, epoch + 1, 0} : Cursor{step, epoch, batch + 1}; }
};

struct StepOrderOptions {
  std::uint64_t batches = 0;                 // of an epoch
  std::uint64_t epochs = 1;
  std::uint64_t steps_max = 0;               // train.max_steps; 0: no bound
};

class StepOrder {
 public:
  StepOrder(const StepOrderOptions& options, const Cursor& from) : options_(options), next_(from) {}
  std::optional<StepPlace> next();           // nothing: the job is over
  std::uint64_t whole() const { return options_.batches * options_.epochs; }   // steps without a bound on them

 private:
  StepOrderOptions options_;
  Cursor next_;
};

}  // namespace dyad::worker
