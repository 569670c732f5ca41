#pragma once
// Made-up batches for tests and benchmarks: random tries, histories and targets, from a seed. Real ones come from
// BatchBuilder. Threads: one owner.
#include <array>
#include <cstdint>
#include <vector>
#include "common/data/trie.h"
#include "worker/batch/batch_maker.h"

namespace dyad::worker {

struct SyntheticOptions {
  std::size_t items = 30;
  std::vector<std::size_t> branch{5};        // children of a node at each level but the last; items spread evenly
  std::size_t history_max = 20;
  std::uint64_t seed = 1;
  BatchOptions batch{};
};

class SyntheticTask {
 public:
  explicit SyntheticTask(const SyntheticOptions& options);
  // Samples [first, first + size) of an endless list; global_size = size. Lengths are like those of Amazon Beauty:
  // mean 6.7.
  Batch batch(std::size_t first, std::size_t size);
  Batch batch(std::span<const std::size_t> samples);
  std::vector<ItemId> history(std::size_t sample) const;
  ItemId target(std::size_t sample) const;
  const data::Trie& trie(int stream) const { return tries_[stream]; }
  std::array<const data::Trie*, 2> tries() const { return {&tries_[0], &tries_[1]}; }
  std::size_t items() const { return options_.items; }

 private:
  SyntheticOptions options_;
  std::vector<data::Trie> tries_;
  std::vector<BatchMaker> maker_;            // one, made after the tries
};

}  // namespace dyad::worker
