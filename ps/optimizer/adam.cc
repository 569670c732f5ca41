// Kingma & Ba 2015, and AdamW (Loshchilov & Hutter 2019) with the decay outside the moments. t is the row's own update
// count.
//   m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g^2;  w <- w - lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)
// State: [m (dim) | v (dim)].
#include <cmath>
#include <vector>
#include "ps/optimizer/optimizer.h"

namespace dyad::ps {
namespace {

class Adam final : public RowOptimizer {
 public:
  Adam(const RowOptimizerOptions& options, bool decoupled) : o_(options), decoupled_(decoupled) {
    for (std::size_t t = 0; t < kTabulated; ++t) corrections_.push_back(compute(static_cast<std::uint32_t>(t)));
  }
  const char* name() const override { return decoupled_ ? "adamw" : "adam"; }
  std::size_t slots(std::size_t dim) const override { return 2 * dim; }
  void update(const RowUpdate& row) const override {
    const Correction c = row.count < kTabulated ? corrections_[row.count] : compute(row.count);
    const std::size_t dim = row.gradient.size();
    const float* __restrict g = row.gradient.data();
    float* __restrict w = row.value;
    float* __restrict m = row.state;
    float* __restrict v = row.state + dim;
    const float b1 = o_.beta1, b2 = o_.beta2, eps = o_.eps;
    const float step = static_cast<float>(row.learning_rate * c.first), root = static_cast<float>(c.second);
    const float keep = decoupled_ ? 1.0f - row.learning_rate * o_.weight_decay : 1.0f;
    const float decay = decoupled_ ? 0.0f : o_.weight_decay;
    for (std::size_t i = 0; i < dim; ++i) {
      const float d = g[i] + decay * w[i];
      m[i] = b1 * m[i] + (1.0f - b1) * d;
      v[i] = b2 * v[i] + (1.0f - b2) * d * d;
      w[i] = keep * w[i] - step * m[i] / (std::sqrt(v[i]) * root + eps);
    }
  }

 private:
  static constexpr std::size_t kTabulated = 4096;   // pow() twice a row would cost as much as the row's 128 floats
  struct Correction { double first, second; };      // 1/(1-b1^t), 1/sqrt(1-b2^t)
  Correction compute(std::uint32_t t) const {
    if (t == 0) return {1, 1};
    return {1.0 / (1.0 - std::pow(static_cast<double>(o_.beta1), t)),
            1.0 / std::sqrt(1.0 - std::pow(static_cast<double>(o_.beta2), t))};
  }
  RowOptimizerOptions o_;
  bool decoupled_;
  std::vector<Correction> corrections_;
};

}  // namespace
std::unique_ptr<RowOptimizer> make_adam(const RowOptimizerOptions& options, bool decoupled_decay) {
  return std::make_unique<Adam>(options, decoupled_decay);
}
}  // namespace dyad::ps
