#include "worker/train/row_stage.h"

namespace dyad::worker {
namespace {

std::array<const std::vector<RowKey>*, kTables> keys_of(const Batch& batch) {
  return {&batch.item_keys, &batch.stream[0].keys, &batch.stream[1].keys};
}

}  // namespace

std::array<PullRequest, kTables> RowStage::prepare(const Batch& batch) {
  const auto keys = keys_of(batch);
  std::array<PullRequest, kTables> requests;
  for (std::size_t t = 0; t < kTables; ++t) {
    const auto options = torch::TensorOptions().dtype(torch::kFloat32).pinned_memory(device_.is_cuda());
    host_[t] = torch::empty({static_cast<std::int64_t>(keys[t]->size()), dim_}, options);
    requests[t] = {
        static_cast<TableId>(t), *keys[t], {host_[t].data_ptr<float>(), static_cast<std::size_t>(host_[t].numel())}};
  }
  return requests;
}

RowTensors RowStage::tensors() {
  for (std::size_t t = 0; t < kTables; ++t)
    leaf_[t] = (device_.is_cuda() ? host_[t].to(device_, /*non_blocking=*/true) : host_[t]).requires_grad_(true);
  return RowTensors{leaf_[0], {leaf_[1], leaf_[2]}};
}

std::array<PushRequest, kTables> RowStage::gradients(const Batch& batch) {
  const auto keys = keys_of(batch);
  std::array<PushRequest, kTables> requests;
  for (std::size_t t = 0; t < kTables; ++t) {
    const auto& gradient = leaf_[t].grad();
    gradient_[t] =
        gradient.defined() ? gradient.to(torch::kCPU).contiguous() : torch::zeros(host_[t].sizes(), torch::kFloat32);
    requests[t] = {static_cast<TableId>(t), *keys[t],
                   {gradient_[t].data_ptr<float>(), static_cast<std::size_t>(gradient_[t].numel())}};
  }
  return requests;
}

}  // namespace dyad::worker
