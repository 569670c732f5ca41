#include "common/io/matrix.h"

#include <fmt/ranges.h>
#include "common/base/printable.h"
#include "common/io/safetensors.h"

namespace dyad::io {
namespace {

Result<std::string> only_matrix(const Safetensors& file) {
  std::vector<std::string> matrices, all;
  for (const auto& [key, tensor] : file.tensors()) {
    if (tensor.shape.size() == 2) matrices.push_back(key);
    if (all.size() < 8) all.push_back(fmt::format("{} [{}]", printable(key), fmt::join(tensor.shape, ", ")));
  }
  if (matrices.size() == 1) return matrices[0];
  if (matrices.empty())
    return fail(Code::kInvalid, "{}: holds no matrix [rows, width]: {}", file.path().string(), fmt::join(all, ", "));
  return fail(Code::kInvalid, "{}: holds {} matrices ({}); name one by --tensor", file.path().string(),
              matrices.size(), printable(fmt::format("{}", fmt::join(matrices, ", ")), 400));
}

}  // namespace

Result<Matrix> load_matrix(const std::filesystem::path& path, const std::string& name) {
  DYAD_TRY(file, Safetensors::open(path));
  std::string tensor = name;
  if (name.empty()) {
    DYAD_TRY(only, only_matrix(file));
    tensor = only;
  }
  DYAD_TRY(found, file.tensor(tensor));
  if (found.shape.size() != 2)
    return fail(Code::kInvalid, "{}: tensor '{}' is [{}], wanted [rows, width]", path.string(), printable(tensor),
                fmt::join(found.shape, ", "));
  DYAD_TRY(values, file.floats(tensor));
  return Matrix{found.shape[0], found.shape[1], std::move(values)};
}

}  // namespace dyad::io
