#pragma once
// A checkpoint as something that can decode: configuration, data, dense weights, and the whole row tables in memory.
// A row that was never trained is not in the checkpoint: it has its initial value, which the seed and the key give.
// Threads: immutable after open, but for what the model itself says.
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>
#include <torch/torch.h>
#include "common/base/result.h"
#include "common/config/config.h"
#include "worker/job/eager_tables.h"
#include "worker/model/eager.h"

namespace dyad::worker {

struct LoadedModel {
  std::filesystem::path folder;
  Step step;
  std::uint64_t manifest = 0;                         // its digest: of what was loaded
  config::Config config;                              // the checkpoint's, with `sets` over it
  JobData data;
  std::unique_ptr<Eager> model;
  std::array<torch::Tensor, kTables> tables;          // item [items, d], behaviour [nodes, d], semantic [nodes, d]
};

// `data`: the dataset's folder, empty for the one the checkpoint names. Fails with kInvalid if the manifest or a file
// is damaged, if the codes are not those it was trained with, or if the log is not and `data` is empty.
Result<LoadedModel> load_model(const std::filesystem::path& folder, const std::string& data,
                               const std::vector<std::string>& sets);

}  // namespace dyad::worker
