#pragma once
// Item vectors into a dataset folder, whoever made them. No LibTorch here.
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/io/matrix.h"
#include "tools/prepare/codes/streams.h"

namespace dyad::encode {

struct WrittenVectors {
  std::vector<ItemId> zeros;                 // items whose vector is all zeros
  std::optional<std::string> replaced;       // the source of other vectors that were there before
};
// Writes vectors/<stream>.safetensors; `source` says where they are from, for people. Fails with kInvalid if the rows
// are not one an item, or, naming the item, if a value is not finite.
Result<WrittenVectors> write_vectors(const data::Dataset& dataset, codes::Stream stream, const io::Matrix& rows,
                                     const std::string& source);

}  // namespace dyad::encode
