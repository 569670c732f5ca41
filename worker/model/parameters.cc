#include "worker/model/parameters.h"
#include <ATen/CPUGeneratorImpl.h>

namespace dyad::worker {

Parameters::Parameters(std::uint64_t seed, at::Device device)
    : generator_(at::detail::createCPUGenerator(seed)), device_(device) {}

Parameter* Parameters::add(const std::string& name, at::Tensor value, bool product) {
  value = value.to(device_).requires_grad_(true);
  named_.push_back({name, value});
  return &parameters_.emplace_back(Parameter{value, value, product});
}

Parameter* Parameters::uniform(const std::string& name, at::IntArrayRef shape, double bound) {
  at::Tensor value = at::zeros(shape, at::kFloat);
  if (bound > 0) value.uniform_(-bound, bound, generator_);
  return add(name, value, true);
}

Parameter* Parameters::normal(const std::string& name, at::IntArrayRef shape, double stddev) {
  return add(name, at::zeros(shape, at::kFloat).normal_(0, stddev, generator_), false);
}

Parameter* Parameters::constant(const std::string& name, at::IntArrayRef shape, double value) {
  return add(name, at::full(shape, value, at::kFloat), false);
}

void Parameters::cast(at::ScalarType type) {
  for (Parameter& p : parameters_) p.cast = p.product ? p.value.to(type) : p.value;
}

void Parameters::use_double_for_test() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].value = parameters_[i].value.detach().to(at::kDouble).requires_grad_(true);
    named_[i].value = parameters_[i].value;
  }
}

}  // namespace dyad::worker
