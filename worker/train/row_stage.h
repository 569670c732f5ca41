#pragma once
// The rows of one batch on their way: host buffers that pulls fill, tensors that the model differentiates, gradients
// that pushes read. On a GPU the host buffers are pinned and copied without blocking, both ways; gradients() waits once
// for its copies. Threads: one.  Ownership: owns the buffers; they live until the next prepare().
#include <array>
#include <torch/torch.h>
#include "worker/batch/batch.h"
#include "worker/job/eager_tables.h"
#include "worker/model/eager.h"
#include "worker/rows/row_client.h"

namespace dyad::worker {

class RowStage {
 public:
  RowStage(std::int64_t dim, torch::Device device) : dim_(dim), device_(device) {}
  // Sizes the buffers for `batch`, and gives the pulls that fill them.
  std::array<PullRequest, kTables> prepare(const Batch& batch);
  // After the pull: leaves [n, dim] that require gradients, on the device.
  RowTensors tensors();
  // After the backward pass: what to push (zeros where a table got no gradient).
  std::array<PushRequest, kTables> gradients(const Batch& batch);

 private:
  torch::Tensor host_rows(std::size_t rows) const;     // [rows, dim] fp32, not filled; pinned for a GPU
  std::int64_t dim_;
  torch::Device device_;
  std::array<torch::Tensor, kTables> host_, leaf_, gradient_;   // [n, dim] fp32
};

}  // namespace dyad::worker
