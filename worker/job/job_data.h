#pragma once
// What a rank reads from the dataset folder before it trains or evaluates: log, catalogue, code tries; for L_con alone
// the item vectors. Threads: immutable after open.
#include <array>
#include <filesystem>
#include <torch/torch.h>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/data/identity.h"
#include "common/data/item_files.h"

namespace dyad::worker {

struct JobData {
  data::Dataset dataset;
  std::array<data::Trie, 2> tries;            // behaviour, semantic
  data::Identity identity;                    // of these; read_vectors() adds the vectors
  std::array<const data::Trie*, 2> trie_views() const { return {&tries[0], &tries[1]}; }
};

// Fails naming the file that is missing or does not fit the catalogue, and the command that makes it.
Result<JobData> open_job_data(const std::filesystem::path& dir);

// E^b or E^s [items, width] fp32, as encoded. Fails as open_job_data() does.
Result<torch::Tensor> read_vectors(JobData& job, const std::string& stream);

}  // namespace dyad::worker
