#include "ps/optimizer/optimizer.h"

#include <cmath>

namespace dyad::ps {

Result<std::unique_ptr<RowOptimizer>> make_optimizer(const RowOptimizerOptions& options) {
  if (options.name == "sgd") return make_sgd(options);
  if (options.name == "adagrad") return make_adagrad(options);
  if (options.name == "rowwise_adagrad") return make_rowwise_adagrad(options);
  if (options.name == "adam") return make_adam(options, false);
  if (options.name == "adamw") return make_adam(options, true);
  return fail(Code::kInvalid, "rows.optimizer = \"{}\" is unknown: choose sgd, adagrad, rowwise_adagrad, adam or adamw",
              options.name);
}

void clip_row(std::span<float> gradient, float clip) {
  double square = 0;
  for (const float g : gradient) square += static_cast<double>(g) * g;
  const double norm = std::sqrt(square);
  if (norm <= clip) return;
  const float factor = static_cast<float>(clip / norm);
  for (float& g : gradient) g *= factor;
}

}  // namespace dyad::ps
