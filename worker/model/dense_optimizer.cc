#include "worker/model/dense_optimizer.h"
#include <algorithm>
#include <cmath>
#include <numbers>
#include "worker/model/kernels/kernels.h"

namespace dyad::worker {
namespace {
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEps = 1e-8;
}

double learning_rate(const config::Train& train, std::uint64_t step, std::uint64_t steps) {
  const double warm = train.warmup ? std::min(1.0, static_cast<double>(step) / train.warmup) : 1.0;
  if (train.schedule == "constant" || steps == 0) return train.lr * warm;
  const double done = std::min(1.0, static_cast<double>(step - 1) / static_cast<double>(steps));
  return train.lr * warm * (0.5 + 0.5 * std::cos(std::numbers::pi * done));
}

DenseOptimizer::DenseOptimizer(std::vector<NamedParameter> parameters, double weight_decay, double clip)
    : parameters_(std::move(parameters)), weight_decay_(weight_decay), clip_(clip) {
  for (const NamedParameter& p : parameters_)
    slots_.push_back({at::zeros_like(p.value.detach()), at::zeros_like(p.value.detach())});
}

Result<double> DenseOptimizer::norm(std::uint64_t step) const {
  at::NoGradGuard no_grad;
  double total = 0;
  for (const NamedParameter& p : parameters_) {
    const at::Tensor& g = p.value.grad();
    if (!g.defined()) continue;
    total += g.is_cpu() ? kernels::table().sum_of_squares(g.const_data_ptr<float>(), g.numel())
                        : g.square().sum().item<double>();
  }
  const double norm = std::sqrt(total);
  if (!std::isfinite(norm))
    return fail(Code::kFailed,
                "step {}: the gradient of {} is not finite; lower train.lr or train with precision = \"fp32\"", step,
                bad_gradient());
  return norm;
}

// The weight to blame for a norm that is not finite.
std::string DenseOptimizer::bad_gradient() const {
  for (const NamedParameter& p : parameters_)
    if (p.value.grad().defined() && !at::isfinite(p.value.grad()).all().item<bool>()) return p.name;
  return "the dense weights";                                         // finite numbers whose squares are not
}

void DenseOptimizer::update_one(std::size_t i, double lr, std::uint64_t step, double scale) {
  at::Tensor value = parameters_[i].value.detach(), g = parameters_[i].value.grad();
  const double t = static_cast<double>(step), step_size = lr / (1 - std::pow(kBeta1, t)),
               root = std::sqrt(1 - std::pow(kBeta2, t));
  Slots& s = slots_[i];
  if (value.is_cpu()) {
    kernels::table().adam({.n = value.numel(),
                           .beta1 = kBeta1,
                           .beta2 = kBeta2,
                           .eps = kEps,
                           .decay = static_cast<float>(1 - lr * weight_decay_),
                           .step_size = static_cast<float>(step_size),
                           .root = static_cast<float>(root),
                           .scale = static_cast<float>(scale),
                           .gradient = g.const_data_ptr<float>(),
                           .value = value.mutable_data_ptr<float>(),
                           .m = s.m.mutable_data_ptr<float>(),
                           .v = s.v.mutable_data_ptr<float>()});
    return;
  }
  g = g * scale;
  value.mul_(1 - lr * weight_decay_);
  s.m.lerp_(g, 1 - kBeta1);
  s.v.mul_(kBeta2).addcmul_(g, g, 1 - kBeta2);
  value.addcdiv_(s.m, (s.v.sqrt() / root).add_(kEps), -step_size);
}

void DenseOptimizer::update(double lr, std::uint64_t step, double norm) {
  at::NoGradGuard no_grad;
  const double scale = clip_ > 0 ? std::min(1.0, clip_ / (norm + 1e-6)) : 1.0;   // as torch.nn.utils.clip_grad_norm_
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].value.grad().defined()) update_one(i, lr, step, scale);
}

std::map<std::string, at::Tensor> DenseOptimizer::state() const {
  std::map<std::string, at::Tensor> state;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state["m." + parameters_[i].name] = slots_[i].m.cpu();
    state["v." + parameters_[i].name] = slots_[i].v.cpu();
  }
  return state;
}

Status DenseOptimizer::load(const std::map<std::string, at::Tensor>& state) {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    for (auto& [prefix, slot] : {std::pair<std::string, at::Tensor*>{"m.", &slots_[i].m}, {"v.", &slots_[i].v}}) {
      const auto found = state.find(prefix + parameters_[i].name);
      if (found == state.end())
        return fail(Code::kInvalid, "the optimiser state has no {}: it was saved for another model",
                    prefix + parameters_[i].name);
      if (found->second.sizes() != slot->sizes())
        return fail(Code::kInvalid, "{} of the optimiser state has {} numbers, not {}: it was saved for another model",
                    found->first, found->second.numel(), slot->numel());
      slot->copy_(found->second);
    }
  return ok();
}

}  // namespace dyad::worker
