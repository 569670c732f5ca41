#pragma once
// The training work of a dataset as the leases see it, through the same EpochPlan that the workers compute their parts
// by. Threads: one.  Memory: the samples and the plans of two epochs.
#include <deque>
#include <memory>
#include <vector>
#include "common/data/epoch_plan.h"
#include "coordinator/leases.h"

namespace dyad::coordinator {

class SamplePlan final : public WorkPlan {
 public:
  SamplePlan(std::vector<data::Sample> samples, const data::EpochOptions& options, std::uint32_t workers)
      : samples_(std::move(samples)), options_(options), workers_(workers) {}
  std::uint64_t batches(std::uint64_t epoch) override;
  Sum whole() override;
  Sum part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) override;

 private:
  const data::EpochPlan& plan(std::uint64_t epoch);
  std::vector<data::Sample> samples_;
  data::EpochOptions options_;                   // epoch is filled in
  std::uint32_t workers_;
  std::deque<std::pair<std::uint64_t, data::EpochPlan>> plans_;
};

}  // namespace dyad::coordinator
