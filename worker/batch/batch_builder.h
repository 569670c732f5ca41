#pragma once
// Global batch b of an epoch -> this rank's Batch. A pure function of (job seed, epoch, plan, log, rank, ranks); the
// draws of a sample depend on the job seed, the epoch and the sample's place in the log alone, not on rank or ranks.
// Threads: one owner. Ownership: borrows dataset, samples and tries.
#include <array>
#include <cstdint>
#include <span>
#include "common/config/config.h"
#include "common/data/dataset.h"
#include "common/data/epoch_plan.h"
#include "worker/batch/batch_maker.h"

namespace dyad::worker {

BatchOptions batch_options(const config::Model& model);

class BatchBuilder {
 public:
  // samples: what `plan` below was made from (data::samples(dataset, kTrain)).
  BatchBuilder(const data::Dataset& dataset, std::span<const data::Sample> samples,
               std::array<const data::Trie*, 2> tries, const config::Model& model, std::uint64_t seed);
  // Global batch `index` of epoch `epoch`; an empty part (size 0) is possible where it has fewer
  // samples than ranks.
  Batch build(std::uint64_t epoch, std::size_t index, Step step, const data::EpochPlan& plan, WorkerRank rank,
              std::size_t ranks);

 private:
  const data::Dataset& dataset_;
  std::span<const data::Sample> samples_;
  std::size_t history_max_;
  std::uint64_t seed_;
  BatchMaker maker_;
};

}  // namespace dyad::worker
