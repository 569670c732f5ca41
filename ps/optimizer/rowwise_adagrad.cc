// Adagrad with one accumulator a row, the mean of the squares (as in DLRM):  G <- G + mean(g^2);  w <- w - lr g /
// (sqrt(G) + eps)
#include <cmath>
#include "ps/optimizer/optimizer.h"

namespace dyad::ps {
namespace {

class RowwiseAdagrad final : public RowOptimizer {
 public:
  explicit RowwiseAdagrad(const RowOptimizerOptions& options) : eps_(options.eps), decay_(options.weight_decay) {}
  const char* name() const override { return "rowwise_adagrad"; }
  std::size_t slots(std::size_t) const override { return 1; }
  void update(const RowUpdate& row) const override {
    const float* __restrict g = row.gradient.data();
    float* __restrict w = row.value;
    const std::size_t dim = row.gradient.size();
    const float decay = decay_;
    double square = 0;
    for (std::size_t i = 0; i < dim; ++i) {
      const double d = g[i] + decay * w[i];
      square += d * d;
    }
    row.state[0] += static_cast<float>(square / static_cast<double>(dim));
    const float step = row.learning_rate / (std::sqrt(row.state[0]) + eps_);
    for (std::size_t i = 0; i < dim; ++i) w[i] -= step * (g[i] + decay * w[i]);
  }

 private:
  float eps_, decay_;
};

}  // namespace
std::unique_ptr<RowOptimizer> make_rowwise_adagrad(const RowOptimizerOptions& options) {
  return std::make_unique<RowwiseAdagrad>(options);
}
}  // namespace dyad::ps
