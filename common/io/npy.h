#pragma once
// NumPy's .npy, versions 1 and 2, read only: floats of 2, 4 or 8 bytes, little-endian, C order, at most two dimensions.
#include "common/io/safetensors.h"

namespace dyad::io {

// One dimension [n] is read as [n, 1]. Fails with kNotFound, or kInvalid naming the file and what is not read.
Result<Matrix> read_npy(const std::filesystem::path& path);

}  // namespace dyad::io
