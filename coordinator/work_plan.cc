#include "coordinator/work_plan.h"

namespace dyad::coordinator {

const data::EpochPlan& SamplePlan::plan(std::uint64_t epoch) {
  for (const auto& [known, plan] : plans_)
    if (known == epoch) return plan;
  data::EpochOptions options = options_;
  options.epoch = epoch;
  plans_.emplace_back(epoch, data::EpochPlan(samples_, options));
  if (plans_.size() > 2) plans_.pop_front();
  return plans_.back().second;
}

std::uint64_t SamplePlan::batches(std::uint64_t) {
  return data::EpochPlan::batches_of(samples_.size(), options_.global_batch);
}

Sum SamplePlan::whole() {
  Sum sum;
  for (const data::Sample& sample : samples_) sum.add({1, data::sample_checksum(sample.position)});
  return sum;
}

Sum SamplePlan::part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) {
  Sum sum;
  for (std::uint64_t b = first; b < end; ++b)
    for (const std::uint32_t index : plan(epoch).part(b, rank, workers_))
      sum.add({1, data::sample_checksum(samples_[index].position)});
  return sum;
}

}  // namespace dyad::coordinator
