#pragma once
// Item vectors made ready for clustering: centred, reduced, of unit length, so that a dot product is a cosine.
#include <cstdint>
#include <span>
#include "tools/prepare/codes/matrix.h"

namespace dyad::codes {

void centre(Matrix& rows);                             // subtracts the mean row
// Scales each row to length 1. Equal rows (items without text, say) are told apart by keyed noise of length 1e-4, so
// that a balanced split has somewhere to cut; a zero row becomes a random direction.
void normalise(Matrix& rows, std::uint64_t seed);
// The rows in the basis of their `width` strongest principal directions (subspace iteration on the d x d covariance,
// which costs rows * d^2 once). REQUIRES: centred rows, width <= cols.
Matrix principal_components(const Matrix& rows, std::size_t width, std::uint64_t seed, unsigned threads);
// centre, reduce to `pca` columns (0 or >= cols: keep all), normalise.
Matrix prepare_for_clustering(Matrix rows, std::size_t pca, std::uint64_t seed, unsigned threads);

}  // namespace dyad::codes
