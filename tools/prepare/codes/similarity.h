#pragma once
// Dot products of many rows with a few centres: a blocked product that stays in the cache. One core with AVX2 does
// about 100 GFLOP/s of it (d = 96 to 768, K = 256). The sum over d runs in one order whatever the block, so a product
// does not depend on blocking or threads.
#include "tools/prepare/codes/matrix.h"

namespace dyad::codes {

class PackedCentres {                             // panels of 16 centres, [panel][d][16], zeros beyond the last
 public:
  explicit PackedCentres(MatrixView centres);
  std::size_t count() const { return count_; }
  std::size_t stride() const { return (count_ + 15) / 16 * 16; }   // floats between rows of `out` below
  // out[i * stride() + c] = rows[first + i] . centre c, for i in [0, n).   REQUIRES: room for n * stride() floats.
  void products(MatrixView rows, std::size_t first, std::size_t n, float* out) const;

 private:
  std::size_t count_, dim_;
  std::vector<float> panels_;
};

}  // namespace dyad::codes
