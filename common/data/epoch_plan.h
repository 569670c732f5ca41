#pragma once
// The order of one epoch: which samples make global batch b, and which of them rank r computes. A pure function of
// (seed, epoch, samples, options): nobody races for work, and any process can compute anybody's part.
// Batches hold samples of like history length (short histories do not pay for long ones): samples are sorted by length
// plus a random amount in [0, jitter), cut into ceil(n / global_batch) batches whose sizes differ by at most one (so
// every epoch has as many steps, and no tiny last batch weighs as much as a full one), and the batches are shuffled.
// Inside a batch rank r takes samples r, r+R, r+2R, ... so that ranks get like lengths.
#include <cstdint>
#include <span>
#include <vector>
#include "common/data/types.h"

namespace dyad::data {

struct EpochOptions {
  std::uint64_t seed = 1;
  std::uint64_t epoch = 0;          // counted from 0
  std::size_t global_batch = 512;
  std::size_t history_max = 20;
  double length_jitter = 2.0;
};

class EpochPlan {
 public:
  EpochPlan(std::span<const Sample> samples, const EpochOptions& options);   // borrows nothing
  static std::size_t batches_of(std::size_t samples, std::size_t global_batch) {   // of any epoch
    return (samples + global_batch - 1) / global_batch;
  }
  std::size_t batches() const { return begin_.size() - 1; }
  // Indices into `samples` of global batch b, in order.
  std::span<const std::uint32_t> batch(std::size_t b) const;
  // The part of batch b that rank r of `ranks` computes (may be empty).
  std::vector<std::uint32_t> part(std::size_t b, WorkerRank rank, std::size_t ranks) const;

 private:
  std::vector<std::uint32_t> order_;
  std::vector<std::size_t> begin_;
};

// What the audit sums over the samples that were trained on: equal sums and counts mean each exactly once.
std::uint64_t sample_checksum(const Position& position);   // added with wrap-around

}  // namespace dyad::data
