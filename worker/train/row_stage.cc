#include "worker/train/row_stage.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace dyad::worker {
namespace {

std::array<const std::vector<RowKey>*, kTables> keys_of(const Batch& batch) {
  return {&batch.item_keys, &batch.stream[0].keys, &batch.stream[1].keys};
}

std::array<std::span<const std::uint32_t>, kTables> orders_of(const Batch& batch) {
  return {std::span<const std::uint32_t>{}, batch.stream[0].by_key, batch.stream[1].by_key};
}

}  // namespace

torch::Tensor RowStage::host_rows(std::size_t rows) const {
  const auto options = torch::TensorOptions().dtype(torch::kFloat32).pinned_memory(device_.is_cuda());
  return torch::empty({static_cast<std::int64_t>(rows), dim_}, options);
}

std::array<PullRequest, kTables> RowStage::prepare(const Batch& batch) {
  const auto keys = keys_of(batch);
  const auto by_key = orders_of(batch);
  std::array<PullRequest, kTables> requests;
  for (std::size_t t = 0; t < kTables; ++t) {
    host_[t] = host_rows(keys[t]->size());
    requests[t] = {static_cast<TableId>(t),
                   *keys[t],
                   {host_[t].data_ptr<float>(), static_cast<std::size_t>(host_[t].numel())},
                   by_key[t]};
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
  const auto by_key = orders_of(batch);
  std::array<PushRequest, kTables> requests;
  for (std::size_t t = 0; t < kTables; ++t) {
    const auto& gradient = leaf_[t].grad();
    if (!gradient.defined()) {
      gradient_[t] = torch::zeros(host_[t].sizes(), torch::kFloat32);
    } else if (device_.is_cuda()) {
      gradient_[t] = host_rows(keys[t]->size());
      gradient_[t].copy_(gradient, /*non_blocking=*/true);
    } else {
      gradient_[t] = gradient.contiguous();
    }
    requests[t] = {static_cast<TableId>(t),
                   *keys[t],
                   {gradient_[t].data_ptr<float>(), static_cast<std::size_t>(gradient_[t].numel())},
                   by_key[t]};
  }
  // One wait for the three copies, on their stream: on the device, dense sums may still be under way.
  if (device_.is_cuda()) c10::impl::VirtualGuardImpl(device_.type()).getStream(device_).synchronize();
  return requests;
}

}  // namespace dyad::worker
