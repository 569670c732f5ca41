#pragma once
// How often items stand near one another: for every ordered pair (a, b) the sum of 1 / distance over the places where
// both are within `window` of one user's history. Symmetric, CSR, columns ascending.
// Counted by ranges of rows, a pass over the histories each: a pass throws the neighbours of its rows into one buffer,
// in cells counted beforehand, then sums each row into an array of an item each. A row that alone is larger than the
// buffer is summed during its pass. A pair's sum adds up in the order of the histories, so that no bit of it depends on
// the buffer.
// Memory: 8 bytes a distinct pair (12 while they grow), 8 a pair of the buffer, some 30 an item; sorting all pairs took
// 32 a pair, 340 an event. Threads: pure functions.
#include <cstdint>
#include "tools/prepare/encode/histories.h"

namespace dyad::encode {

struct PairCounts {
  std::vector<std::size_t> begin;      // of row r: [begin[r], begin[r + 1])
  std::vector<std::uint32_t> column;
  std::vector<float> value;
};
struct PairCountOptions {
  std::size_t window = 5;
  std::size_t buffer_pairs = std::size_t{1} << 25;   // 256 MiB; a log of 100 million events takes 30 passes
};
PairCounts count_pairs(const Histories& histories, const PairCountOptions& options);

}  // namespace dyad::encode
