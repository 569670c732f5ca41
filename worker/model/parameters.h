#pragma once
// The dense weights of the model: named fp32 leaves, created in a fixed order from the seed alone.
// The code and item rows are not here: they live on the parameter servers.
#include <torch/torch.h>
#include <deque>
#include <string>
#include <vector>

namespace dyad::worker {

struct NamedParameter {
  std::string name;                          // "behaviour.decoder.0.self.in.weight"
  at::Tensor value;                          // fp32 leaf; its gradient is value.grad() after backward
};

// One weight and its copy in the type of the matrix products, cast once per pass (see Parameters::cast).
struct Parameter {
  at::Tensor value, cast;
  bool product = false;                      // read by matrix products: cast; else always used as fp32
};

class Parameters {
 public:
  Parameters(std::uint64_t seed, at::Device device);
  // Adds a weight drawn uniformly from [-bound, bound] (bound 0: zeros), or normal(0, stddev), or filled with a value.
  Parameter* uniform(const std::string& name, at::IntArrayRef shape, double bound);
  Parameter* normal(const std::string& name, at::IntArrayRef shape, double stddev);
  Parameter* constant(const std::string& name, at::IntArrayRef shape, double value);
  // Makes every product weight's `cast` for this pass: differentiable, so gradients reach the fp32 leaves.
  void cast(at::ScalarType type);
  void use_double_for_test();                // all leaves become fp64 (finite differences)
  const std::vector<NamedParameter>& named() const { return named_; }

 private:
  Parameter* add(const std::string& name, at::Tensor value, bool product);
  at::Generator generator_;
  at::Device device_;
  std::deque<Parameter> parameters_;         // addresses stay valid
  std::vector<NamedParameter> named_;
};

}  // namespace dyad::worker
