#pragma once
// After which steps the job cuts a checkpoint: a pure function of the configuration and the position in the epochs, so
// that every rank decides alike without asking.
#include <cstdint>
#include "common/config/config.h"

namespace dyad::worker {

struct StepPlace {
  std::uint64_t step = 0;          // counted from 1
  std::uint64_t epoch = 0;         // counted from 0
  bool last_of_epoch = false, last_of_job = false;
};

inline bool is_cut(const config::Checkpoint& rule, const StepPlace& place) {
  if (place.last_of_job) return true;
  if (rule.every_steps > 0 && place.step % rule.every_steps == 0) return true;
  return place.last_of_epoch && rule.every_epochs > 0 && (place.epoch + 1) % rule.every_epochs == 0;
}

}  // namespace dyad::worker
