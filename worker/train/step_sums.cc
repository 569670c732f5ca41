#include "worker/train/step_sums.h"

#include <cmath>
#include "common/base/log.h"
#include "worker/model/kernels/kernels.h"

namespace dyad::worker {
namespace {

bool finite(std::span<const float> values) {     // a NaN or an infinity anywhere shows in the sum of squares
  return std::isfinite(kernels::table().sum_of_squares(values.data(), static_cast<std::int64_t>(values.size())));
}

}  // namespace

std::string bad_row(std::span<const PushRequest> gradients, const Tables& tables) {
  for (const PushRequest& request : gradients) {
    if (finite(request.gradient)) continue;
    const std::size_t dim = request.gradient.size() / request.keys.size();
    for (std::size_t i = 0; i < request.keys.size(); ++i)
      if (!finite(request.gradient.subspan(i * dim, dim)))
        return fmt::format("row {} of table {}", request.keys[i], name_of(tables, request.table));
    return fmt::format("table {}", name_of(tables, request.table));   // only the sum of all its squares is beyond fp32
  }
  return "";
}

Status sum_over_ranks(Step step, GradientReducer& reducer, std::span<const PushRequest> gradients, const Tables& tables,
                      StepSums& sums) {
  const std::string bad = bad_row(gradients, tables);
  sums.bad_rows() = bad.empty() ? 0.0f : 1.0f;
  DYAD_TRYV(reducer.finish(sums.all()));
  if (!std::isfinite(sums.losses()[0]))
    return fail(Code::kFailed, "step {}: the loss is not finite; lower train.lr or train with precision = \"fp32\"",
                step);
  if (sums.bad_rows() > 0) {
    if (!bad.empty()) LOG_ERROR("step {}: the gradient of {} is not finite", step, bad);
    return fail(Code::kFailed,
                "step {}: the gradient of a row is not finite on {:.0f} of the ranks (their logs name it); lower "
                "train.lr or train with precision = \"fp32\"",
                step, sums.bad_rows());
  }
  return ok();
}

}  // namespace dyad::worker
