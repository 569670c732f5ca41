#include "worker/train/step_protocol.h"

#include <algorithm>
#include "common/base/check.h"

namespace dyad::worker {

bool is_cut(const config::Checkpoint& rule, const StepPlace& place) {
  if (place.last_of_job) return true;
  if (rule.every_steps > 0 && place.step.value % rule.every_steps == 0) return true;
  return place.last_of_epoch && rule.every_epochs > 0 && (place.epoch + 1) % rule.every_epochs == 0;
}

Step StepProtocol::pull_floor(Step step) const {
  CHECK_GT(step.value, 0u);
  const std::uint64_t before = step.value - 1;
  std::uint64_t floor = 0;
  if (train_.mode == "sync") floor = before;
  if (train_.mode == "ssp") floor = before - std::min<std::uint64_t>(before, train_.staleness);
  return Step{std::max(floor, cut_floor_.value)};
}

std::optional<wire::AcquireLease> StepProtocol::wants(const StepPlace& place) const {
  if (lease_ && lease_->epoch == place.epoch && place.batch < lease_->end_batch) return std::nullopt;
  CHECK(!lease_);                                     // a lease is completed before the next is asked for
  return wire::AcquireLease{place.epoch, place.batch};
}

Status StepProtocol::leased(const StepPlace& place, const wire::Lease& lease) {
  if (lease.epoch != place.epoch || lease.first_batch > place.batch || lease.end_batch <= place.batch)
    return fail(Code::kStale,
                "the coordinator leased epoch {} batches {}..{} where epoch {} batch {} comes next; restart the job "
                "with --resume",
                lease.epoch, lease.first_batch, lease.end_batch, place.epoch, place.batch);
  lease_ = lease;
  count_ = checksum_ = 0;
  return ok();
}

std::optional<wire::CompleteLease> StepProtocol::trained(const StepPlace& place, std::uint64_t samples,
                                                         std::uint64_t checksum, bool stops) {
  CHECK(lease_ && lease_->epoch == place.epoch && place.batch < lease_->end_batch);
  count_ += samples;
  checksum_ += checksum;
  if (!stops && !place.last_of_epoch && place.batch + 1 < lease_->end_batch) return std::nullopt;
  const wire::CompleteLease complete{lease_->id, place.batch + 1, count_, checksum_};
  lease_.reset();
  return complete;
}

}  // namespace dyad::worker
