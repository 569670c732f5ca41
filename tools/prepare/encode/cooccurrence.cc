#include "tools/prepare/encode/cooccurrence.h"
#include <torch/torch.h>
#include <algorithm>
#include <cmath>
#include "common/base/check.h"
#include "common/base/random.h"
#include "tools/prepare/encode/pair_counts.h"

namespace dyad::encode {
namespace {

constexpr int kIterations = 8;
constexpr std::int64_t kSpare = 10;   // directions beyond `width`: they make the wanted ones converge faster

void to_ppmi(PairCounts& m) {
  const std::size_t n = m.begin.size() - 1;
  std::vector<double> row(n);
  double sum = 0;
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = m.begin[r]; i < m.begin[r + 1]; ++i) row[r] += m.value[i];
    sum += row[r];
  }
  const double smooth = std::pow(sum, 0.75);
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t i = m.begin[r]; i < m.begin[r + 1]; ++i)
      m.value[i] =
          static_cast<float>(std::max(0.0, std::log(m.value[i] * smooth / std::pow(row[r] * row[m.column[i]], 0.75))));
}

torch::Tensor times(const PairCounts& m, const torch::Tensor& x) {
  const auto in = x.contiguous();
  auto out = torch::zeros_like(in);
  const std::int64_t w = in.size(1);
  const float* from = in.data_ptr<float>();
  float* to = out.data_ptr<float>();
  for (std::size_t r = 0; r + 1 < m.begin.size(); ++r)
    for (std::size_t i = m.begin[r]; i < m.begin[r + 1]; ++i)
      for (std::int64_t c = 0; c < w; ++c) to[r * w + c] += m.value[i] * from[m.column[i] * w + c];
  return out;
}

}  // namespace

io::Matrix cooccurrence_vectors(const Histories& histories, const CooccurrenceOptions& options) {
  const torch::InferenceMode no_gradients;
  CHECK(options.width >= 1 && options.width <= histories.items);
  PairCounts matrix = count_pairs(histories, {.window = options.window});
  to_ppmi(matrix);
  const auto n = static_cast<std::int64_t>(histories.items), width = static_cast<std::int64_t>(options.width);
  auto basis = torch::empty({n, std::min(n, width + kSpare)});
  KeyedRandom random(options.seed, 0x636f6f63);  // "cooc"
  for (std::int64_t i = 0; i < basis.numel(); ++i) basis.data_ptr<float>()[i] = static_cast<float>(random.normal());
  for (int i = 0; i < kIterations; ++i) basis = std::get<0>(torch::linalg_qr(times(matrix, basis)));
  const auto [values, vectors] = torch::linalg_eigh(basis.t().mm(times(matrix, basis)));
  const auto strongest = values.abs().argsort(/*dim=*/0, /*descending=*/true).slice(0, 0, width);
  const auto rows =
      (basis.mm(vectors.index_select(1, strongest)) * values.abs().index_select(0, strongest)).contiguous();
  return {histories.items, options.width, {rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel()}};
}

}  // namespace dyad::encode
