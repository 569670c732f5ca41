#include "worker/train/gradient_reducer.h"

#include <algorithm>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include "common/base/check.h"

namespace dyad::worker {
namespace {

std::span<float> floats(torch::Tensor& t) { return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())}; }

}  // namespace

GradientReducer::GradientReducer(std::vector<torch::Tensor> parameters, comm::Collective& all, double bucket_mb,
                                 std::size_t stats)
    : all_(all), parameters_(std::move(parameters)), stats_(torch::zeros({static_cast<std::int64_t>(stats)})) {
  const auto limit = std::max<std::int64_t>(1, static_cast<std::int64_t>(bucket_mb * (1 << 20) / sizeof(float)));
  for (std::size_t end = parameters_.size(); end > 0;) {          // the last parameters get their gradients first
    std::size_t begin = end;
    std::int64_t size = 0;
    do size += parameters_[--begin].numel();
    while (begin > 0 && size + parameters_[begin - 1].numel() <= limit);
    Bucket bucket;
    bucket.flat = torch::zeros({size}, parameters_[begin].options().requires_grad(false));
    bucket.parameters = end - begin;
    std::int64_t at = 0;
    for (std::size_t i = begin; i < end; ++i) {
      auto& p = parameters_[i];
      CHECK(p.scalar_type() == torch::kFloat32);
      p.mutable_grad() = bucket.flat.narrow(0, at, p.numel()).view(p.sizes());
      at += p.numel();
      auto accumulator = torch::autograd::impl::grad_accumulator(p);
      const std::size_t index = buckets_.size();
      const auto key = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [this, index](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) {
            fill(index);
            return outputs;
          }));
      hooks_.emplace_back(accumulators_.size(), key);
      accumulators_.push_back(std::move(accumulator));
    }
    buckets_.push_back(std::move(bucket));
    end = begin;
  }
}

GradientReducer::~GradientReducer() {
  for (const auto& [accumulator, key] : hooks_) accumulators_[accumulator]->del_post_hook(key);
  if (!pending_) return;
  static auto& kept = *new std::vector<torch::Tensor>;    // for ever: the process leaves soon
  for (const auto& bucket : buckets_) kept.push_back(bucket.flat);
  kept.insert(kept.end(), {stats_, moved_});
}

void GradientReducer::begin() {
  for (auto& bucket : buckets_) {
    bucket.flat.zero_();
    bucket.filled = 0;
  }
  next_ = 0;
  active_ = true;
}

void GradientReducer::fill(std::size_t bucket) {
  if (!active_) return;
  ++buckets_[bucket].filled;
  start_ready(false);
}

void GradientReducer::start_ready(bool all) {
  for (; next_ < buckets_.size(); ++next_) {
    auto& bucket = buckets_[next_];
    if (!all && bucket.filled < bucket.parameters) return;
    pending_ = true;
    all_.start_sum(floats(bucket.flat));
  }
}

Status GradientReducer::finish(std::span<float> stats) {
  CHECK(active_);
  active_ = false;
  start_ready(true);                            // parameters that this step did not use have zero gradients
  CHECK_EQ(stats.size(), static_cast<std::size_t>(stats_.numel()));
  std::copy(stats.begin(), stats.end(), stats_.data_ptr<float>());
  if (all_.on_device()) {
    moved_ = stats_.to(buckets_[0].flat.device());
    all_.start_sum(floats(moved_));
    DYAD_TRYV(all_.wait());
    stats_.copy_(moved_);
  } else {
    all_.start_sum(floats(stats_));
    DYAD_TRYV(all_.wait());
  }
  pending_ = false;
  std::copy_n(stats_.data_ptr<float>(), stats.size(), stats.begin());
  return ok();
}

}  // namespace dyad::worker
