#include "worker/train/step_order.h"

namespace dyad::worker {

std::optional<StepPlace> StepOrder::next() {
  const bool bounded = options_.steps_max > 0;
  if (next_.epoch >= options_.epochs || (bounded && next_.step.value >= options_.steps_max)) return std::nullopt;
  StepPlace place{Step{next_.step.value + 1}, next_.epoch, next_.batch};
  place.last_of_epoch = place.batch + 1 == options_.batches;
  place.last_of_job = (bounded && place.step.value == options_.steps_max) ||
                      (place.last_of_epoch && place.epoch + 1 == options_.epochs);
  next_ = place.after();
  return place;
}

}  // namespace dyad::worker
