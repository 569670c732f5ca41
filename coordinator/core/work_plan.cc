#include "coordinator/core/work_plan.h"

namespace dyad::coordinator {

SamplePlan::Running SamplePlan::sums_of(std::uint64_t epoch) const {
  data::EpochOptions options = options_;
  options.epoch = epoch;
  const data::EpochPlan plan(samples_, options);
  Running running(workers_);
  for (std::uint64_t b = 0; b < plan.batches(); ++b)
    for (std::uint32_t rank = 0; rank < workers_; ++rank) {
      Sum sum = running[b * workers_ + rank];
      for (const std::uint32_t index : plan.part(b, WorkerRank{rank}, workers_))
        sum.add({1, data::sample_checksum(samples_[index].position)});
      running.push_back(sum);
    }
  return running;
}

void SamplePlan::begin(std::uint64_t epoch) {
  if (epochs_.count(epoch)) return;
  epochs_[epoch] = std::async(std::launch::async, [this, epoch] { return sums_of(epoch); }).share();
}

void SamplePlan::expect(std::uint64_t epoch) {
  epochs_.erase(epochs_.begin(), epochs_.lower_bound(epoch == 0 ? 0 : epoch - 1));   // a rank may lag behind
  begin(epoch);
}

std::uint64_t SamplePlan::batches(std::uint64_t) {
  return data::EpochPlan::batches_of(samples_.size(), options_.global_batch);
}

Sum SamplePlan::whole() {
  if (!whole_) {
    Sum sum;
    for (const data::Sample& sample : samples_) sum.add({1, data::sample_checksum(sample.position)});
    whole_ = sum;
  }
  return *whole_;
}

Sum SamplePlan::part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) {
  begin(epoch);
  const Running& running = epochs_.at(epoch).get();
  const Sum &before = running[first * workers_ + rank.value], &after = running[end * workers_ + rank.value];
  return {after.count - before.count, after.checksum - before.checksum};
}

}  // namespace dyad::coordinator
