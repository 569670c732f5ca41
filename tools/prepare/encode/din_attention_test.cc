// The fused attention unit against LibTorch's own operations, and the same bits for every number of threads.
#include "tools/prepare/encode/din_attention.h"
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <functional>

namespace dyad::encode {
namespace {
using torch::Tensor;

constexpr std::int64_t kRows = 300, kItems = 70, kUnits = 5, kDim = 24;   // more than one piece, none of them whole

std::vector<Tensor> inputs() {
  torch::manual_seed(3);
  std::vector<Tensor> out = {torch::randn({kRows, kDim}), torch::randn({kUnits + 1, kItems, kDim}) / 5,
                             torch::randn({kUnits, kItems}), torch::full({1}, 0.25f), torch::randn({kUnits})};
  for (auto& x : out) x.requires_grad_(true);
  return out;
}

PairAttention plain(const std::vector<Tensor>& in) {
  const auto z = torch::einsum("ud,jnd->unj", {in[0], in[1]});
  const auto x = z.slice(2, 0, kUnits) + in[2].t();
  return {torch::prelu(x, in[3]).matmul(in[4]), z.select(2, kUnits)};
}

using Attention = std::function<PairAttention(const std::vector<Tensor>&)>;
Attention fused(unsigned threads) {
  return [=](const std::vector<Tensor>& in) { return pair_attention(in[0], in[1], in[2], in[3], in[4], threads); };
}

// Both outputs, then the gradients of the inputs.
std::vector<Tensor> values_and_gradients(const Attention& function) {
  const auto in = inputs();
  const auto [weight, product] = function(in);
  torch::manual_seed(4);
  ((weight * torch::randn_like(weight)).sum() + (product * torch::randn_like(product)).sum()).backward();
  std::vector<Tensor> out = {weight.detach(), product.detach()};
  for (const auto& x : in) out.push_back(x.grad());
  return out;
}

TEST(PairAttention, AgreesWithLibTorchInValueAndGradient) {
  torch::set_num_threads(1);
  const auto expected = values_and_gradients(plain), got = values_and_gradients(fused(1));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(got[i].sizes(), expected[i].sizes()) << i;
    EXPECT_LT((got[i] - expected[i]).abs().max().item<float>(), 1e-4f * expected[i].abs().max().item<float>()) << i;
  }
}

TEST(PairAttention, HasTheSameBitsForEveryNumberOfThreads) {
  torch::set_num_threads(1);
  const auto one = values_and_gradients(fused(1));
  for (const unsigned threads : {2, 3, 8}) {
    const auto several = values_and_gradients(fused(threads));
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], several[i])) << i << ' ' << threads;
  }
}

}  // namespace
}  // namespace dyad::encode
