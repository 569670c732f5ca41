// w <- w - lr (g + wd w)
#include "ps/optimizer/optimizer.h"

namespace dyad::ps {
namespace {

class Sgd final : public RowOptimizer {
 public:
  explicit Sgd(const RowOptimizerOptions& options) : decay_(options.weight_decay) {}
  const char* name() const override { return "sgd"; }
  std::size_t slots(std::size_t) const override { return 0; }
  void update(const RowUpdate& row) const override {
    const float* __restrict g = row.gradient.data();
    float* __restrict w = row.value;
    const float lr = row.learning_rate, decay = decay_;
    for (std::size_t i = 0; i < row.gradient.size(); ++i) w[i] -= lr * (g[i] + decay * w[i]);
  }

 private:
  float decay_;
};

}  // namespace
std::unique_ptr<RowOptimizer> make_sgd(const RowOptimizerOptions& options) { return std::make_unique<Sgd>(options); }
}  // namespace dyad::ps
