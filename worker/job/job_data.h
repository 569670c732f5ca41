#pragma once
// What a rank reads from the dataset folder before it trains or evaluates: log, catalogue, code tries, item vectors.
// Threads: immutable after open.
#include <array>
#include <filesystem>
#include <torch/torch.h>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/data/trie.h"

namespace dyad::worker {

inline constexpr std::array kStreamNames{"behaviour", "semantic"};

struct JobData {
  data::Dataset dataset;
  std::array<data::Trie, 2> tries;            // behaviour, semantic
  std::array<torch::Tensor, 2> vectors;       // E^b, E^s [items, width] fp32, as encoded
  std::array<const data::Trie*, 2> trie_views() const { return {&tries[0], &tries[1]}; }
};

// Fails naming the file that is missing or does not fit the catalogue, and the command that makes it.
Result<JobData> open_job_data(const std::filesystem::path& dir);

}  // namespace dyad::worker
