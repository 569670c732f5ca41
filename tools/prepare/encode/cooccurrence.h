#pragma once
// Item vectors from a factored co-occurrence matrix: where DIN starts from, and the baseline it is compared with.
// Counts of items within a window of one user's history, 1 / distance each; positive pointwise mutual information
// with counts smoothed by the power 3/4, max(0, log(c_ij S / (r_i^.75 r_j^.75))), S = sum of r, to the power .75; then
// the `width` strongest eigenvectors times |eigenvalue| (randomised subspace iteration on the sparse matrix).
// Cost: passes over the log for the counts (pair_counts.h); nonzeros * width * 16 for the factors. Threads: pure
// functions.
#include <cstdint>
#include "common/io/matrix.h"
#include "tools/prepare/encode/histories.h"

namespace dyad::encode {

struct CooccurrenceOptions {
  std::size_t width = 128, window = 5;
  std::uint64_t seed = 1;
};
// [items, width]; an item that nobody has in a training part gets zeros.   REQUIRES: 1 <= width <= items.
io::Matrix cooccurrence_vectors(const Histories& histories, const CooccurrenceOptions& options);

}  // namespace dyad::encode
