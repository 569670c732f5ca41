#pragma once
// The training work of a dataset as the leases see it, through the same EpochPlan that the workers compute their parts
// by. The sums of an epoch are made once, on a thread of their own ahead of the first question: a plan of 10^8 samples
// is sorted for seconds, in which the coordinator could answer no heartbeat.
// Threads: one, besides its own.  Memory: the samples; a plan while it is summed; 16 bytes a batch and rank of two
// epochs.
#include <future>
#include <map>
#include <optional>
#include <vector>
#include "common/data/epoch_plan.h"
#include "coordinator/core/leases.h"

namespace dyad::coordinator {

class SamplePlan final : public WorkPlan {
 public:
  SamplePlan(std::vector<data::Sample> samples, const data::EpochOptions& options, std::uint32_t workers)
      : samples_(std::move(samples)), options_(options), workers_(workers) {}
  std::uint64_t batches(std::uint64_t epoch) override;
  Sum whole() override;
  void expect(std::uint64_t epoch) override;
  Sum part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) override;

 private:
  using Running = std::vector<Sum>;                // [batches + 1][workers]: of all batches before
  Running sums_of(std::uint64_t epoch) const;
  void begin(std::uint64_t epoch);
  const std::vector<data::Sample> samples_;
  const data::EpochOptions options_;               // epoch is filled in
  const std::uint32_t workers_;
  std::map<std::uint64_t, std::shared_future<Running>> epochs_;
  std::optional<Sum> whole_;
};

}  // namespace dyad::coordinator
