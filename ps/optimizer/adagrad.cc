// Duchi et al. 2011:  G <- G + g^2;  w <- w - lr g / (sqrt(G) + eps)
#include <cmath>
#include "ps/optimizer/optimizer.h"

namespace dyad::ps {
namespace {

class Adagrad final : public RowOptimizer {
 public:
  explicit Adagrad(const RowOptimizerOptions& options) : eps_(options.eps), decay_(options.weight_decay) {}
  const char* name() const override { return "adagrad"; }
  std::size_t slots(std::size_t dim) const override { return dim; }
  void update(const RowUpdate& row) const override {
    const float* __restrict g = row.gradient.data();
    float* __restrict w = row.value;
    float* __restrict sum = row.state;
    const float lr = row.learning_rate, decay = decay_, eps = eps_;
    for (std::size_t i = 0; i < row.gradient.size(); ++i) {
      const float d = g[i] + decay * w[i];
      sum[i] += d * d;
      w[i] -= lr * d / (std::sqrt(sum[i]) + eps);
    }
  }

 private:
  float eps_, decay_;
};

}  // namespace
std::unique_ptr<RowOptimizer> make_adagrad(const RowOptimizerOptions& options) {
  return std::make_unique<Adagrad>(options);
}
}  // namespace dyad::ps
