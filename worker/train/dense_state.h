#pragma once
// The dense part of a checkpoint: weights and optimizer moments as dense.safetensors.
//   "model.<parameter>"  "m.<parameter>"  "v.<parameter>"   float32;  metadata: step, format
#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <torch/torch.h>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/wire/messages.h"
#include "worker/model/dense_optimizer.h"
#include "worker/model/eager.h"

namespace dyad::worker {

struct DenseState {
  Step step;
  std::map<std::string, torch::Tensor> tensors;   // host copies
};

DenseState copy_dense_state(const Eager& model, const DenseOptimizer& optimizer, Step step);
// Writes dense.safetensors into `folder` (made if need be), synced; gives its size and digest.
Result<wire::FilePart> write_dense_part(const std::filesystem::path& folder, const DenseState& state);
// Sets the model's parameters, and the optimizer's moments unless `optimizer` is null. Fails with kInvalid naming the
// file and the tensor that is missing, superfluous or of another shape.
Result<Step> load_dense_part(const std::filesystem::path& folder, const Eager& model, DenseOptimizer* optimizer);

// Widths of E^b and E^s that a model with gct was trained towards: what its projections give.
Result<std::array<std::int64_t, 2>> stored_vector_widths(const std::filesystem::path& folder);

}  // namespace dyad::worker
