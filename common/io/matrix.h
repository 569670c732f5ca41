#pragma once
// A matrix of floats, and the one that a .safetensors file holds (npy.h reads NumPy's).
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::io {

struct Matrix {                                      // row-major
  std::size_t rows = 0, cols = 0;
  std::vector<float> values;                         // [rows, cols]
  std::span<const float> row(std::size_t r) const { return {values.data() + r * cols, cols}; }
};
// Tensor `name` of a .safetensors file as floats; the only matrix if `name` is empty. Fails with kInvalid unless it has
// two dimensions and is of floats.
Result<Matrix> load_matrix(const std::filesystem::path& path, const std::string& name);

}  // namespace dyad::io
