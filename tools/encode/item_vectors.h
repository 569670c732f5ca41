#pragma once
// Item vectors into a dataset folder, whoever made them, and vectors that come from elsewhere. No LibTorch here.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/io/matrix.h"
#include "tools/codes/streams.h"

namespace dyad::encode {

struct WrittenVectors {
  std::vector<ItemId> zeros;                 // items whose vector is all zeros
  std::optional<std::string> replaced;       // the source of other vectors that were there before
};
// Writes vectors/<stream>.safetensors; `source` says where they are from, for people. Fails with kInvalid if the rows
// are not one an item, or, naming the item, if a value is not finite.
Result<WrittenVectors> write_vectors(const data::Dataset& dataset, codes::Stream stream, const io::Matrix& rows,
                                     const std::string& source);

// The matrix of a .safetensors (tensor `name`; the only matrix if `name` is empty; F64, F32, F16, BF16) or .npy file.
Result<io::Matrix> read_vectors(const std::filesystem::path& file, const std::string& name);

}  // namespace dyad::encode
