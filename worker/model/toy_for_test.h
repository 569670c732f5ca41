#pragma once
// A small model and its batches for the tests of worker/model and worker/decode.
#include <gtest/gtest.h>
#include "worker/batch/synthetic.h"
#include "worker/model/eager.h"

namespace dyad::worker {

struct Toy {
  explicit Toy(std::vector<std::size_t> branch = {4}, std::size_t negatives = 0, std::size_t items = 40)
      : task({.items = items, .branch = branch, .history_max = 8, .seed = 5, .batch = {.negatives = negatives}}) {
    options.model.dim = 16, options.model.heads = 2, options.model.ffn = 24, options.model.decoder_layers = 2;
    options.model.history = 8, options.model.dropout = 0, options.model.init_std = 0.3;
    options.model.stt_negatives = static_cast<std::uint32_t>(negatives);
    options.levels = static_cast<std::int64_t>(branch.size()) + 1;
    options.vector_width = {6, 10};
    at::Generator g = at::detail::createCPUGenerator(9);
    const auto random = [&](std::size_t n, std::int64_t d) { return at::randn({static_cast<std::int64_t>(n), d}, g); };
    item = random(items, 16).mul_(0.5);
    for (int s = 0; s < 2; ++s) {
      code[s] = random(task.trie(s).nodes(), 16).mul_(0.5);
      targets[s] = contrast_targets(random(items, options.vector_width[s]));
    }
  }
  template <class Number> static at::Tensor pick(const std::vector<Number>& numbers, const at::Tensor& table) {
    std::vector<std::int64_t> index;
    for (const Number k : numbers) index.push_back(static_cast<std::int64_t>(k.value));
    return table.index_select(0, at::tensor(index, at::kLong)).detach().requires_grad_(true);
  }
  RowTensors rows(const Batch& batch, at::ScalarType type = at::kFloat) const {
    return {pick(batch.item_keys, item.to(type)),
            {pick(batch.stream[0].nodes, code[0].to(type)), pick(batch.stream[1].nodes, code[1].to(type))}};
  }
  Eager model() const { return Eager(options, targets); }

  SyntheticTask task;
  ModelOptions options;
  at::Tensor item;                                   // full tables
  std::array<at::Tensor, 2> code, targets;
};

inline void expect_close(const at::Tensor& a, const at::Tensor& b, double tolerance, const std::string& what) {
  ASSERT_EQ(a.sizes(), b.sizes()) << what;
  const double scale = std::max(1.0, b.detach().abs().max().item<double>());
  EXPECT_LE((a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>(), tolerance * scale)
      << what;
}

}  // namespace dyad::worker
