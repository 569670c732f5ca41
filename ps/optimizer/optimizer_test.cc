// Each optimizer against LibTorch's own on the same gradients, every row touched at each of 20 steps.
#include "ps/optimizer/optimizer.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include "common/base/random.h"

namespace dyad::ps {
namespace {

constexpr std::size_t kRows = 5, kDim = 24;   // 24: a vector body and a tail
constexpr int kSteps = 20;
constexpr double kRate = 0.01;

std::vector<float> draw(std::uint64_t seed, float scale) {
  KeyedRandom random(seed);
  std::vector<float> values(kRows * kDim);
  for (float& v : values) v = scale * static_cast<float>(random.normal());
  return values;
}

std::vector<float> ours(const RowOptimizerOptions& options) {
  const auto optimizer = make_optimizer(options).value();
  std::vector<float> value = draw(1, 0.5f), state(kRows * optimizer->slots(kDim));
  for (int step = 1; step <= kSteps; ++step) {
    const auto gradient = draw(100 + step, 0.1f);
    for (std::size_t r = 0; r < kRows; ++r)
      optimizer->update({static_cast<float>(kRate),
                         static_cast<std::uint32_t>(step),
                         {gradient.data() + r * kDim, kDim},
                         value.data() + r * kDim,
                         state.data() + r * optimizer->slots(kDim)});
  }
  return value;
}

using MakeTorch = std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<torch::Tensor>)>;
std::vector<float> theirs(const MakeTorch& make) {
  auto start = draw(1, 0.5f);
  torch::Tensor w = torch::from_blob(start.data(), {kRows, kDim}).clone().set_requires_grad(true);
  auto optimizer = make({w});
  for (int step = 1; step <= kSteps; ++step) {
    auto gradient = draw(100 + step, 0.1f);
    w.mutable_grad() = torch::from_blob(gradient.data(), {kRows, kDim}).clone();
    optimizer->step();
  }
  const torch::Tensor flat = w.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

void expect_equal(const RowOptimizerOptions& options, const MakeTorch& make) {
  const auto a = ours(options), b = theirs(make), start = draw(1, 0.5f);
  double moved = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 2e-6) << options.name << " at " << i;
    moved += std::abs(a[i] - start[i]);
  }
  EXPECT_GT(moved / static_cast<double>(a.size()), 1e-3);
}

template <class Optimizer, class Options> MakeTorch torch_maker(Options options) {
  return [options](std::vector<torch::Tensor> w) { return std::make_unique<Optimizer>(std::move(w), options); };
}

TEST(RowOptimizer, SgdEqualsLibTorch) {
  expect_equal({.name = "sgd", .weight_decay = 0.1f},
               torch_maker<torch::optim::SGD>(torch::optim::SGDOptions(kRate).weight_decay(0.1)));
}
TEST(RowOptimizer, AdagradEqualsLibTorch) {
  expect_equal({.name = "adagrad", .eps = 1e-6f, .weight_decay = 0.1f},
               torch_maker<torch::optim::Adagrad>(torch::optim::AdagradOptions(kRate).weight_decay(0.1).eps(1e-6)));
}
TEST(RowOptimizer, AdamEqualsLibTorch) {
  expect_equal({.name = "adam", .weight_decay = 0.1f},
               torch_maker<torch::optim::Adam>(torch::optim::AdamOptions(kRate).weight_decay(0.1)));
}
TEST(RowOptimizer, AdamWEqualsLibTorch) {
  expect_equal({.name = "adamw", .weight_decay = 0.1f},
               torch_maker<torch::optim::AdamW>(torch::optim::AdamWOptions(kRate).weight_decay(0.1)));
}

TEST(RowOptimizer, RowwiseAdagradFollowsItsFormula) {
  const RowOptimizerOptions options{.name = "rowwise_adagrad", .eps = 1e-6f};
  const auto got = ours(options), start = draw(1, 0.5f);
  std::vector<double> w(start.begin(), start.end()), sum(kRows);
  for (int step = 1; step <= kSteps; ++step) {
    const auto g = draw(100 + step, 0.1f);
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t i = 0; i < kDim; ++i) sum[r] += double(g[r * kDim + i]) * g[r * kDim + i] / kDim;
      for (std::size_t i = 0; i < kDim; ++i) w[r * kDim + i] -= kRate * g[r * kDim + i] / (std::sqrt(sum[r]) + 1e-6);
    }
  }
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(got[i], w[i], 2e-6);
}

TEST(RowOptimizer, AdamsTabulatedBiasCorrectionMeetsTheComputedOne) {
  const auto adam = make_optimizer({.name = "adam"}).value();
  for (std::uint32_t count : {1u, 2u, 4095u, 4096u, 100000u}) {
    float value = 0, state[2] = {0, 0};
    const float gradient = 0.5f;
    adam->update({0.1f, count, {&gradient, 1}, &value, state});
    const double m = 0.1 * 0.5 / (1 - std::pow(0.9f, count)), v = 0.001 * 0.25 / (1 - std::pow(0.999f, count));
    EXPECT_NEAR(value, -0.1 * m / (std::sqrt(v) + 1e-8), 2e-5 * std::abs(value)) << count;
  }
}

TEST(RowOptimizer, ClippingKeepsDirectionAndBoundsTheNorm) {
  std::vector<float> g{3, 4};
  clip_row(g, 10);
  EXPECT_EQ(g[1], 4);
  clip_row(g, 1);
  EXPECT_NEAR(g[0], 0.6, 1e-6);
  EXPECT_NEAR(g[1], 0.8, 1e-6);
}

TEST(RowOptimizer, AnUnknownNameIsRefusedWithTheKnownOnes) {
  const auto made = make_optimizer({.name = "adamx"});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("rowwise_adagrad"), std::string::npos);
}

}  // namespace
}  // namespace dyad::ps
