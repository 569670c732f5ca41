#include "tools/prepare/codes/similarity.h"
#include "common/base/check.h"

namespace dyad::codes {
namespace {

typedef float Lanes __attribute__((vector_size(32), aligned(4), may_alias));   // 8 floats, anywhere
constexpr std::size_t kPanel = 16, kRowsAtOnce = 6, kRowBlock = 48;

// R rows by 16 centres in 2R registers: each loaded centre value is used R times, each row value 16 times.
template <std::size_t R>
void tile(const float* rows, std::size_t dim, const float* panel, float* out, std::size_t stride) {
  Lanes low[R] = {}, high[R] = {};
  for (std::size_t j = 0; j < dim; ++j, panel += kPanel) {
    const Lanes a = *reinterpret_cast<const Lanes*>(panel), b = *reinterpret_cast<const Lanes*>(panel + 8);
    for (std::size_t r = 0; r < R; ++r) {
      low[r] += rows[r * dim + j] * a;
      high[r] += rows[r * dim + j] * b;
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    *reinterpret_cast<Lanes*>(out + r * stride) = low[r];      // no memcpy: it would keep the sums in memory
    *reinterpret_cast<Lanes*>(out + r * stride + 8) = high[r];
  }
}

void any_tile(std::size_t r, const float* rows, std::size_t dim, const float* panel, float* out, std::size_t stride) {
  switch (r) {
    case 1: return tile<1>(rows, dim, panel, out, stride);
    case 2: return tile<2>(rows, dim, panel, out, stride);
    case 3: return tile<3>(rows, dim, panel, out, stride);
    case 4: return tile<4>(rows, dim, panel, out, stride);
    case 5: return tile<5>(rows, dim, panel, out, stride);
    default: return tile<6>(rows, dim, panel, out, stride);
  }
}

}  // namespace

PackedCentres::PackedCentres(MatrixView centres) : count_(centres.rows), dim_(centres.cols), panels_(stride() * dim_) {
  for (std::size_t c = 0; c < count_; ++c)
    for (std::size_t j = 0; j < dim_; ++j) panels_[(c / kPanel * dim_ + j) * kPanel + c % kPanel] = centres.row(c)[j];
}

void PackedCentres::products(MatrixView rows, std::size_t first, std::size_t n, float* out) const {
  CHECK_EQ(rows.cols, dim_);
  const std::size_t width = stride();
  for (std::size_t block = 0; block < n; block += kRowBlock) {
    const std::size_t end = std::min(n, block + kRowBlock);
    for (std::size_t p = 0; p < width / kPanel; ++p)
      for (std::size_t i = block; i < end; i += kRowsAtOnce)
        any_tile(std::min(kRowsAtOnce, end - i), rows.row(first + i), dim_, panels_.data() + p * dim_ * kPanel,
                 out + i * width + p * kPanel, width);
  }
}

}  // namespace dyad::codes
