#include "worker/train/dense_state.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include "common/data/item_files.h"
#include "common/io/atomic_file.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"

namespace dyad::worker {
namespace {

constexpr const char* kDenseFile = "dense.safetensors";

torch::Tensor host_copy(const torch::Tensor& t) {
  return t.detach().to(torch::kCPU, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true).contiguous();
}

// Tensor `name` of the file, on the host. Fails with kInvalid unless it has the shape of `model`.
Result<torch::Tensor> tensor_like(const io::Safetensors& file, const std::string& name, const torch::Tensor& model) {
  DYAD_TRY(stored, file.tensor(name));
  const auto sizes = model.sizes();
  const bool same_shape = std::equal(stored.shape.begin(), stored.shape.end(), sizes.begin(), sizes.end(),
                                     [](std::size_t a, std::int64_t b) { return static_cast<std::int64_t>(a) == b; });
  if (stored.dtype != io::DType::kF32 || !same_shape)
    return fail(Code::kInvalid,
                "{}: tensor {} has another shape or type than the model's; was it trained with another [model]?",
                file.path().string(), name);
  auto copy = torch::empty(sizes, torch::kFloat32);
  std::memcpy(copy.data_ptr<float>(), stored.bytes.data(), stored.bytes.size());
  return copy;
}

Result<Step> step_of(const io::Safetensors& file) {
  const auto found = file.metadata().find("step");
  std::uint64_t step = 0;
  if (found == file.metadata().end() ||
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), step).ec != std::errc())
    return fail(Code::kInvalid, "{}: no step in its metadata; it was not written by Dyad", file.path().string());
  return Step{step};
}

}  // namespace

DenseState copy_dense_state(const Eager& model, const DenseOptimizer& optimizer, Step step) {
  DenseState state{step, {}};
  for (const auto& [name, value] : optimizer.state()) state.tensors[name] = host_copy(value);
  for (const auto& p : model.parameters()) state.tensors["model." + p.name] = host_copy(p.value);
  return state;
}

Result<wire::FilePart> write_dense_part(const std::filesystem::path& folder, const DenseState& state) {
  std::map<std::string, io::Tensor> tensors;
  for (const auto& [name, value] : state.tensors) {
    std::vector<std::size_t> shape(value.sizes().begin(), value.sizes().end());
    tensors[name] = io::make_tensor<float>(std::move(shape),
                                           {value.const_data_ptr<float>(), static_cast<std::size_t>(value.numel())});
  }
  DYAD_TRY(dense, io::write_safetensors(folder / kDenseFile, tensors,
                                        {{"format", "1"}, {"step", std::to_string(state.step.value)}}));
  return wire::FilePart{kDenseFile, dense.bytes, dense.digest};
}

Result<Step> load_dense_part(const std::filesystem::path& folder, const Eager& model, DenseOptimizer* optimizer) {
  DYAD_TRY(file, io::Safetensors::open(folder / kDenseFile));
  if (file.tensors().size() != 3 * model.parameters().size())
    return fail(Code::kInvalid, "{} holds {} tensors where the model needs {}; was it trained with another [model]?",
                file.path().string(), file.tensors().size(), 3 * model.parameters().size());
  torch::NoGradGuard no_grad;
  std::map<std::string, torch::Tensor> moments;
  for (const auto& p : model.parameters()) {
    DYAD_TRY(value, tensor_like(file, "model." + p.name, p.value));
    p.value.copy_(value);
    for (const char* slot : {"m.", "v."}) {
      DYAD_TRY(moment, tensor_like(file, slot + p.name, p.value));
      moments[slot + p.name] = std::move(moment);
    }
  }
  if (optimizer) {
    DYAD_TRYV(optimizer->load(moments));
  }
  return step_of(file);
}

Result<std::array<std::int64_t, 2>> stored_vector_widths(const std::filesystem::path& folder) {
  DYAD_TRY(file, io::Safetensors::open(folder / kDenseFile));
  std::array<std::int64_t, 2> widths{};
  for (std::size_t s = 0; s < 2; ++s) {
    DYAD_TRY(weight, file.tensor(fmt::format("model.{}.project.weight", data::kStreams[s])));
    if (!weight.shape.empty()) widths[s] = static_cast<std::int64_t>(weight.shape[0]);
  }
  return widths;
}

}  // namespace dyad::worker
