#pragma once
// Optimizers of single rows: one gradient moves one row. Sparse (lazy) semantics: a row that gets no gradient at a step
// does not move and its state does not decay; `count`, the number of updates of this row, takes the place of the global
// step in Adam's bias correction. With every row touched at every step they equal LibTorch's dense optimizers
// (optimizer_test.cc). Threads: const after construction; any thread may call update on rows of its own.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include "common/base/result.h"
#include "common/tables/tables.h"

namespace dyad::ps {

// One row as the update sees it. value and gradient have the same length, state the optimizer's slots() floats.
struct RowUpdate {
  float learning_rate = 0;
  std::uint32_t count = 1;                      // updates of this row, this one included
  std::span<const float> gradient;
  float* value = nullptr;
  float* state = nullptr;                       // zeros before the first update
};

class RowOptimizer {
 public:
  virtual ~RowOptimizer() = default;
  virtual const char* name() const = 0;
  virtual std::size_t slots(std::size_t dim) const = 0;   // floats of state beside a row of `dim`
  virtual void update(const RowUpdate& row) const = 0;
};

// kInvalid names the allowed optimizers. Clipping is applied by clip_row, which the table calls before update.
Result<std::unique_ptr<RowOptimizer>> make_optimizer(const RowOptimizerOptions& options);
// Scales gradient[dim] in place so that its norm is at most `clip`. REQUIRES clip > 0.
void clip_row(std::span<float> gradient, float clip);

std::unique_ptr<RowOptimizer> make_sgd(const RowOptimizerOptions& options);
std::unique_ptr<RowOptimizer> make_adagrad(const RowOptimizerOptions& options);
std::unique_ptr<RowOptimizer> make_rowwise_adagrad(const RowOptimizerOptions& options);
std::unique_ptr<RowOptimizer> make_adam(const RowOptimizerOptions& options, bool decoupled_decay);   // true: AdamW

}  // namespace dyad::ps
