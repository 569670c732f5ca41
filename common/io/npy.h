#pragma once
// NumPy's .npy, versions 1 to 3, read only: matrices of floats of 2, 4 or 8 bytes, either byte order, C or Fortran.
#include "common/io/matrix.h"

namespace dyad::io {

// Fails with kNotFound, or kInvalid naming the file and what is not read: other types, other than two dimensions.
Result<Matrix> read_npy(const std::filesystem::path& path);

}  // namespace dyad::io
