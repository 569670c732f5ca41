#include "tools/prepare/codes/vectors.h"
#include <cmath>
#include <numeric>
#include "common/base/check.h"
#include "common/base/random.h"
#include "tools/prepare/codes/similarity.h"

namespace dyad::codes {
namespace {

constexpr float kNoise = 1e-4f;
constexpr std::size_t kBlock = 8192;                   // rows of one partial covariance
constexpr int kIterations = 12;

double dot(const float* a, const float* b, std::size_t n) {
  return std::inner_product(a, a + n, b, 0.0, std::plus<>(),
                            [](float x, float y) { return static_cast<double>(x) * y; });
}

// Modified Gram-Schmidt on the rows.
void orthonormalise(Matrix& q) {
  for (std::size_t i = 0; i < q.rows; ++i) {
    for (std::size_t p = 0; p < i; ++p) {
      const auto along = static_cast<float>(dot(q.row(i), q.row(p), q.cols));
      for (std::size_t j = 0; j < q.cols; ++j) q.row(i)[j] -= along * q.row(p)[j];
    }
    const double length = std::sqrt(dot(q.row(i), q.row(i), q.cols));
    for (std::size_t j = 0; j < q.cols; ++j)
      q.row(i)[j] = length > 1e-12 ? static_cast<float>(q.row(i)[j] / length) : 0.0f;
  }
}

// rows^T rows, by blocks of rows in order: each block transposed, then products of columns.
Matrix covariance(const Matrix& rows, unsigned threads) {
  const std::size_t d = rows.cols, blocks = (rows.rows + kBlock - 1) / kBlock;
  Matrix out(d, d);
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t first = b * kBlock, n = std::min(kBlock, rows.rows - first);
    Matrix turned(d, n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < d; ++j) turned.row(j)[i] = rows.row(first + i)[j];
    const PackedCentres packed(turned);
    parallel_for((d + 31) / 32, threads, [&](std::size_t part) {
      const std::size_t from = part * 32, count = std::min<std::size_t>(32, d - from);
      std::vector<float> block(count * packed.stride());
      packed.products(turned, from, count, block.data());
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < d; ++j) out.row(from + i)[j] += block[i * packed.stride() + j];
    });
  }
  return out;
}

// rows [n, d] times the rows of `basis` [w, d]: [n, w].
Matrix project(const Matrix& rows, const Matrix& basis, unsigned threads) {
  const PackedCentres packed(basis);
  Matrix out(rows.rows, basis.rows);
  parallel_for((rows.rows + 255) / 256, threads, [&](std::size_t b) {
    const std::size_t first = b * 256, n = std::min<std::size_t>(256, rows.rows - first);
    std::vector<float> block(n * packed.stride());
    packed.products(rows, first, n, block.data());
    for (std::size_t i = 0; i < n; ++i) std::copy_n(block.data() + i * packed.stride(), basis.rows, out.row(first + i));
  });
  return out;
}

}  // namespace

void centre(Matrix& rows) {
  std::vector<double> mean(rows.cols);
  for (std::size_t i = 0; i < rows.rows; ++i)
    for (std::size_t j = 0; j < rows.cols; ++j) mean[j] += rows.row(i)[j];
  for (double& m : mean) m /= static_cast<double>(std::max<std::size_t>(1, rows.rows));
  for (std::size_t i = 0; i < rows.rows; ++i)
    for (std::size_t j = 0; j < rows.cols; ++j) rows.row(i)[j] -= static_cast<float>(mean[j]);
}

void normalise(Matrix& rows, std::uint64_t seed) {
  const auto each = kNoise / std::sqrt(static_cast<float>(rows.cols));
  for (std::size_t i = 0; i < rows.rows; ++i) {
    float* x = rows.row(i);
    KeyedRandom random(seed, 0x6e6f6973, i);  // "nois"
    const double length = std::sqrt(dot(x, x, rows.cols));
    const auto scale = length > 1e-12 ? static_cast<float>(1 / length) : 0.0f;
    for (std::size_t j = 0; j < rows.cols; ++j) x[j] = x[j] * scale + each * static_cast<float>(random.normal());
    const auto again = static_cast<float>(1 / std::sqrt(dot(x, x, rows.cols)));
    for (std::size_t j = 0; j < rows.cols; ++j) x[j] *= again;
  }
}

Matrix principal_components(const Matrix& rows, std::size_t width, std::uint64_t seed, unsigned threads) {
  CHECK_LE(width, rows.cols);
  const Matrix spread = covariance(rows, threads);
  Matrix basis(std::min(rows.cols, width + 8), rows.cols);          // a few more than asked for: they converge faster
  for (std::size_t i = 0; i < basis.rows; ++i) {
    KeyedRandom random(seed, 0x706361, i);  // "pca"
    for (std::size_t j = 0; j < basis.cols; ++j) basis.row(i)[j] = static_cast<float>(random.normal());
  }
  orthonormalise(basis);
  for (int i = 0; i < kIterations; ++i) {
    basis = project(basis, spread, threads);                        // symmetric: its rows are its columns
    orthonormalise(basis);
  }
  basis.rows = width;
  basis.values.resize(width * basis.cols);
  return project(rows, basis, threads);
}

Matrix prepare_for_clustering(Matrix rows, std::size_t pca, std::uint64_t seed, unsigned threads) {
  centre(rows);
  if (pca > 0 && pca < rows.cols) rows = principal_components(rows, pca, seed, threads);
  normalise(rows, seed);
  return rows;
}

}  // namespace dyad::codes
