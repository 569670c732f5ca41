#pragma once
// AdamW over the dense weights with clipping by global norm, and the learning rate's schedule. One fused pass a weight
// on the CPU, LibTorch operations elsewhere; the arithmetic of torch.optim.AdamW. Threads: one owner.
#include <map>
#include <string>
#include <vector>
#include "common/config/config.h"
#include "worker/model/parameters.h"

namespace dyad::worker {

// Learning rate of step 1, 2, ...: linear warm-up times 1 ("constant") or half a cosine down to 0 at `steps`
// ("cosine").
double learning_rate(const config::Train& train, std::uint64_t step, std::uint64_t steps);

class DenseOptimizer {
 public:
  DenseOptimizer(std::vector<NamedParameter> parameters, double weight_decay, double clip);   // clip 0: none
  // A step is the norm, then the update: in between, its row gradients may be on their way.
  // The norm of all gradients, before clipping. Fails with kFailed, naming the weight, when that is not finite.
  // REQUIRES gradients already summed over ranks. step counts from 1.
  Result<double> norm(std::uint64_t step) const;
  void update(double learning_rate, std::uint64_t step, double norm);
  // "m.<name>" and "v.<name>", fp32 on the CPU, for a checkpoint; the step number is the caller's.
  std::map<std::string, at::Tensor> state() const;
  // Fails with kInvalid naming the tensor that is missing or of another shape.
  Status load(const std::map<std::string, at::Tensor>& state);

 private:
  struct Slots { at::Tensor m, v; };
  std::string bad_gradient() const;
  void update_one(std::size_t i, double learning_rate, std::uint64_t step, double scale);
  std::vector<NamedParameter> parameters_;
  std::vector<Slots> slots_;
  double weight_decay_, clip_;
};

}  // namespace dyad::worker
