// Each operation against an independent computation.
#include <gtest/gtest.h>
#include <numbers>
#include "worker/model/dense_optimizer.h"
#include "worker/model/kernels/kernels.h"
#include "worker/model/layer.h"
#include "worker/model/toy_for_test.h"

namespace dyad::worker {
namespace {

void assign(const at::Tensor& to, const at::Tensor& from) { at::NoGradGuard no_grad; to.copy_(from); }

// Three sequences of 4, 2 and 3 tokens, packed, through our layer; and padded, through
// torch.nn.TransformerEncoderLayer.
TEST(Layer, IsTorchsPostNormEncoderLayer) {
  const std::int64_t d = 16;
  Parameters parameters(1, at::kCPU);
  const Layer layer(parameters, "x", {d, 2, 24}, Layer::Cross::kNone);
  torch::nn::TransformerEncoderLayer theirs(
      torch::nn::TransformerEncoderLayerOptions(d, 2).dim_feedforward(24).dropout(0).activation(torch::kGELU));
  const auto named = theirs->named_parameters();
  const std::vector<std::string> order{"self_attn.in_proj_weight",
                                       "self_attn.in_proj_bias",
                                       "self_attn.out_proj.weight",
                                       "self_attn.out_proj.bias",
                                       "norm1.weight",
                                       "norm1.bias",
                                       "linear1.weight",
                                       "linear1.bias",
                                       "linear2.weight",
                                       "linear2.bias",
                                       "norm2.weight",
                                       "norm2.bias"};
  ASSERT_EQ(order.size(), parameters.named().size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    assign(parameters.named()[i].value, at::randn(parameters.named()[i].value.sizes()) * 0.3);
    assign(named[order[i]], parameters.named()[i].value);
  }
  const std::vector<std::int32_t> begin{0, 4, 6}, size{4, 2, 3};
  const at::Tensor x = at::randn({9, d});
  at::Tensor padded = at::randn({4, 3, d}), mask = at::ones({3, 4}, at::kBool);       // [T, B, d]
  for (int b = 0; b < 3; ++b)
    for (int t = 0; t < size[b]; ++t) padded[t][b] = x[begin[b] + t], mask[b][t] = false;
  const at::Tensor want = theirs->forward(padded, {}, mask);
  const AttentionRows groups{1, 4, at::tensor(begin, at::kInt), at::tensor(size, at::kInt)};
  for (const bool kernels : {true, false}) {
    parameters.cast(at::kFloat);
    Pass pass{.kernels = kernels};
    const at::Tensor got = layer.forward(pass, x, {}, {3, 2, groups, groups, {}});
    for (int b = 0; b < 3; ++b)
      for (int t = 0; t < size[b]; ++t) expect_close(got[begin[b] + t], want[t][b], 1e-5, "token");
  }
}

TEST(Layer, AnswersForFewerRowsAsForAll) {
  Parameters parameters(1, at::kCPU);
  const Layer layer(parameters, "x", {16, 2, 24}, Layer::Cross::kAttention);
  parameters.cast(at::kFloat);
  const at::Tensor x = at::randn({8, 16}), memory = at::randn({6, 32}), begin = at::arange(2, at::kInt);
  AttentionShape self{2, 2, {2, 4, begin, {}}, {2, 4, begin, {}}, causal_slots(2, true)};
  AttentionShape cross{2, 2, {2, 4, begin, {}}, {2, 3, begin, {}}, {}};
  Pass pass;
  const at::Tensor all = layer.forward(pass, x, {}, self, memory, &cross);
  self.query.count = cross.query.count = 3;
  const at::Tensor some = layer.forward(pass, x, {.first = 6, .index = {}}, self, memory, &cross);
  expect_close(some, all.narrow(0, 0, 6), 1e-6, "rows");
}

// The memory projection has 4 layers dim columns: four layers of 512 are 8192.
TEST(Linear, BiasGradientOfAnyWidthIsTheSumOfItsColumn) {
  for (const std::int64_t width : {130, 4096, 4097, 8192, 9001}) {
    const at::Tensor x = at::randn({3, 8}), b = at::zeros({width}).requires_grad_(true);
    const at::Tensor d_out = at::randn({3, width});
    ops_kernels::linear(x, at::randn({width, 8}), b).backward(d_out);
    expect_close(b.grad(), d_out.sum(0), 1e-6, fmt::format("{} columns", width));
  }
}

// Operands of bf16, sums of fp32, rounded once: the same product on every processor, but for the order of additions.
TEST(Linear, InBf16IsTheProductRoundedOnce) {
  const at::Tensor x = at::randn({37, 130}).to(at::kBFloat16), w = at::randn({65, 130}).to(at::kBFloat16),
                   b = at::randn({65}).to(at::kBFloat16), d_out = at::randn({37, 65}).to(at::kBFloat16);
  const auto exact = [](const at::Tensor& t) { return t.to(at::kDouble); };
  for (const bool widen : {true, false}) {
    const at::Tensor x_in = x.detach().clone().requires_grad_(true), w_in = w.detach().clone().requires_grad_(true);
    const at::Tensor got = ops_kernels::linear(x_in, w_in, b, widen);
    EXPECT_EQ(got.scalar_type(), at::kBFloat16);
    got.backward(d_out);
    const double ulp = 1.0 / 256;
    expect_close(exact(got), at::linear(exact(x), exact(w), exact(b)), ulp, "product");
    expect_close(exact(x_in.grad()), exact(d_out).mm(exact(w)), ulp, "gradient of x");
    expect_close(exact(w_in.grad()), exact(d_out).t().mm(exact(x)), ulp, "gradient of w");
  }
}

// Two groups of `tokens` and of some fewer, two heads of `width`, with dropout: the kernel against LibTorch.
void expect_torchs_attention(std::int64_t tokens, std::int64_t width) {
  const std::vector<std::int32_t> begin{0, static_cast<std::int32_t>(tokens)},
      size{static_cast<std::int32_t>(tokens), static_cast<std::int32_t>(tokens - tokens / 3)};
  const AttentionRows rows{1, tokens, at::tensor(begin, at::kInt), at::tensor(size, at::kInt)};
  const AttentionShape shape{2, 2, rows, rows, {}};
  const std::int64_t d = 2 * width;
  const at::Tensor fast = at::randn({begin[1] + size[1], 3 * d}).requires_grad_(true),
                   plain = fast.detach().clone().requires_grad_(true), weight = at::randn({fast.size(0), d});
  const at::Tensor got = ops_kernels::self_attention(7, 0.2, fast, shape);
  const auto parts = plain.split(d, 1);
  const at::Tensor want = ops_torch::attention(7, 0.2, parts[0], parts[1], parts[2], shape);
  const std::string what = fmt::format("{} tokens, heads of {}", tokens, width);
  expect_close(got, want, 1e-5, what);
  got.backward(weight);
  want.backward(weight);
  expect_close(fast.grad(), plain.grad(), 1e-5, "gradient, " + what);
}

TEST(Attention, TakesHistoriesAndHeadsOfAnyLength) {
  expect_torchs_attention(20, 32);
  expect_torchs_attention(300, 16);
  expect_torchs_attention(12, 300);
}

TEST(TreeSoftmax, IsLogSoftmaxOverTheChildrenThatExist) {
  const at::Tensor h = at::randn({5, 16}).requires_grad_(true), rows = at::randn({90, 16}).requires_grad_(true);
  const std::vector<int> begin{0, 7, 0, 7, 50}, end{7, 47, 7, 47, 51}, code{3, 46, 0, 20, 50};
  const auto ints = [](const std::vector<int>& v) { return at::tensor(v, at::kInt); };
  for (const double smoothing : {0.0, 0.2}) {
    at::Tensor want = at::zeros({});
    std::vector<at::Tensor> each;
    for (int i = 0; i < 5; ++i) {
      const at::Tensor log_p = at::log_softmax(at::mv(rows.slice(0, begin[i], end[i]), h[i]), 0);
      each.push_back(-log_p[code[i] - begin[i]] * (1 - smoothing) - log_p.mean() * smoothing);
    }
    const at::Tensor weight = at::tensor({1.0f, -2.0f, 0.5f, 3.0f, 1.0f});
    want = (at::stack(each) * weight).sum();
    const auto want_gradient = torch::autograd::grad({want}, {h, rows});
    for (const bool kernels : {true, false}) {
      h.mutable_grad() = at::Tensor(), rows.mutable_grad() = at::Tensor();
      Pass pass{.kernels = kernels};
      const at::Tensor got = ops::tree_softmax(pass, h, rows, {ints(begin), ints(end), ints(code)}, smoothing);
      expect_close(got, at::stack(each), 1e-5, "loss");
      (got * weight).sum().backward();
      expect_close(h.grad(), want_gradient[0], 1e-5, "d h");
      expect_close(rows.grad(), want_gradient[1], 1e-5, "d rows");
    }
  }
}

TEST(Dropout, DropsItsShareAndKeepsTheMean) {
  const at::Tensor mask = ops_torch::dropout_mask(42, 0.2, {200000}, at::kFloat);
  EXPECT_NEAR(mask.eq(0).to(at::kFloat).mean().item<double>(), 0.2, 0.005);
  EXPECT_NEAR(mask.mean().item<double>(), 1.0, 0.005);
  const at::Tensor other = ops_torch::dropout_mask(43, 0.2, {200000}, at::kFloat);
  EXPECT_NEAR((mask.eq(0) & other.eq(0)).to(at::kFloat).mean().item<double>(), 0.04, 0.003);
  EXPECT_NEAR((mask.slice(0, 1).eq(0) & mask.slice(0, 0, 199999).eq(0)).to(at::kFloat).mean().item<double>(), 0.04,
              0.003);
}

TEST(Gelu, KernelIsTheExactGeluAndItsDerivative) {
  const at::Tensor x = at::linspace(-8, 8, 3001).view({-1, 1}).requires_grad_(true);
  const at::Tensor got = ops_kernels::gelu_dropout(0, 0, x);
  got.sum().backward();
  for (const auto& [value, gradient, at_x] : std::vector<std::tuple<float, float, float>>{
           {got[1200].item<float>(), x.grad()[1200].item<float>(), x[1200].item<float>()}}) {
    const double cdf = 0.5 * std::erfc(-at_x / std::numbers::sqrt2),
                 density = std::exp(-0.5 * at_x * at_x) / std::sqrt(2 * std::numbers::pi);
    EXPECT_NEAR(value, at_x * cdf, 1e-6);
    EXPECT_NEAR(gradient, cdf + at_x * density, 1e-6);
  }
  const at::Tensor y = x.detach().clone().requires_grad_(true);
  at::gelu(y).sum().backward();
  expect_close(got, at::gelu(y), 1e-6, "gelu");
  expect_close(x.grad(), y.grad(), 2e-6, "derivative");
}

TEST(Kernels, BothInstructionSetsAgree) {
  if (!__builtin_cpu_supports("avx512f")) GTEST_SKIP() << "this processor has no AVX-512";
  const at::Tensor x = at::randn({7, 130}), y = at::randn({7, 130}), gamma = at::rand({130}), beta = at::rand({130});
  at::Tensor out[2];
  int i = 0;
  for (const kernels::Table* table : {&kernels::table_v3(), &kernels::table_v4()}) {
    out[i] = at::empty_like(x);
    table->residual_norm({.type = kernels::Type::kFp32,
                          .n = 7,
                          .d = 130,
                          .dropout = {9, 0.3f},
                          .x = x.data_ptr(),
                          .y = y.data_ptr(),
                          .gamma = gamma.data_ptr<float>(),
                          .beta = beta.data_ptr<float>(),
                          .out = out[i].data_ptr()});
    ++i;
  }
  expect_close(out[0], out[1], 1e-6, "residual_norm");
}

TEST(DenseOptimizer, IsTorchsAdamWWithClipping) {
  std::vector<at::Tensor> theirs;
  std::vector<NamedParameter> ours;
  for (const std::int64_t n : {5, 130, 1}) {
    theirs.push_back(at::randn({n}).requires_grad_(true));
    ours.push_back({"p" + std::to_string(n), theirs.back().detach().clone().requires_grad_(true)});
  }
  torch::optim::AdamW adam(theirs, torch::optim::AdamWOptions(0.01).weight_decay(0.1));
  DenseOptimizer mine(ours, 0.1, 1.5);
  for (std::uint64_t step = 1; step <= 20; ++step) {
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      theirs[i].mutable_grad() = at::randn_like(theirs[i]).detach();
      ours[i].value.mutable_grad() = theirs[i].grad().clone();
    }
    const double norm = torch::nn::utils::clip_grad_norm_(theirs, 1.5);
    adam.step();
    EXPECT_NEAR(mine.norm(step).value(), norm, 1e-4);
    mine.update(0.01, step, norm);
    for (std::size_t i = 0; i < theirs.size(); ++i) expect_close(ours[i].value, theirs[i], 1e-6, ours[i].name);
  }
}

TEST(DenseOptimizer, GoesOnFromASavedState) {
  const auto run = [](DenseOptimizer& optimizer, const NamedParameter& p, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t step = from; step <= to; ++step) {
      p.value.mutable_grad() = (p.value.detach() - static_cast<double>(step)).clone();
      optimizer.update(0.1, step, optimizer.norm(step).value());
    }
  };
  const NamedParameter straight{"w", at::ones({3}).requires_grad_(true)},
      stopped{"w", at::ones({3}).requires_grad_(true)};
  DenseOptimizer a({straight}, 0, 0), b({stopped}, 0, 0), c({stopped}, 0, 0);
  run(a, straight, 1, 6);
  run(b, stopped, 1, 3);
  ASSERT_TRUE(c.load(b.state()).has_value());
  run(c, stopped, 4, 6);
  EXPECT_TRUE(at::equal(straight.value, stopped.value));
  EXPECT_EQ(c.load({}).error().code, Code::kInvalid);
}

TEST(DenseOptimizer, AGradientThatIsNotFiniteChangesNothingAndIsNamed) {
  for (const double clip : {5.0, 0.0})
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
      const NamedParameter good{"good", at::ones({3}).requires_grad_(true)},
          hit{"hit", at::ones({5000}).requires_grad_(true)};
      DenseOptimizer optimizer({good, hit}, 0.1, clip);
      for (std::uint64_t step = 1; step <= 3; ++step) {
        for (const auto& p : {good, hit}) p.value.mutable_grad() = at::full_like(p.value, 0.5).detach();
        const auto weights = hit.value.detach().clone(), others = good.value.detach().clone();
        const auto moments = optimizer.state();
        if (step == 2) hit.value.grad()[4999] = bad;
        const auto norm = optimizer.norm(step);
        EXPECT_EQ(norm.has_value(), step != 2);
        if (norm) optimizer.update(0.1, step, norm.value());
        if (norm) continue;
        EXPECT_EQ(norm.error().code, Code::kFailed);
        EXPECT_EQ(norm.error().message,
                  "step 2: the gradient of hit is not finite; lower train.lr or train with precision = \"fp32\"");
        EXPECT_TRUE(at::equal(hit.value, weights) && at::equal(good.value, others));
        for (const auto& [name, moment] : optimizer.state()) EXPECT_TRUE(at::equal(moment, moments.at(name))) << name;
      }
    }
}

TEST(LearningRate, WarmsUpAndFollowsHalfACosine) {
  config::Train train;
  train.lr = 2, train.warmup = 4;
  EXPECT_DOUBLE_EQ(learning_rate(train, 1, 100), 2 * 0.25);
  EXPECT_NEAR(learning_rate(train, 51, 100), 1, 1e-9);
  EXPECT_NEAR(learning_rate(train, 101, 100), 0, 1e-9);
  train.schedule = "constant";
  EXPECT_DOUBLE_EQ(learning_rate(train, 90, 100), 2);
}

}  // namespace
}  // namespace dyad::worker
