#pragma once
// What the sentence encoder reads of an item, and vectors that come from elsewhere. No LibTorch here.
#include <filesystem>
#include <string>
#include "common/base/result.h"
#include "common/data/types.h"
#include "common/io/matrix.h"
#include "common/io/safetensors.h"
#include "tools/codes/streams.h"

namespace dyad::encode {

// "title. Brand: B. Categories: a, b, c." without the parts that are unknown; each category once, in order. An item of
// which nothing is known gives its key.
std::string item_text(const data::Item& item);

// Writes vectors/<stream>.safetensors: "embedding" [items, width] float32; metadata: format "dyad-vectors-1" and
// `source`.
// Fails with kInvalid if the rows are not `items` or a value is not finite.
Status write_vectors(const std::filesystem::path& data, codes::Stream stream, const io::Matrix& rows, std::size_t items,
                     const std::string& source);

// The matrix of a .safetensors (tensor `name`; the only matrix if `name` is empty; F32, F16, BF16) or .npy file.
Result<io::Matrix> read_vectors(const std::filesystem::path& file, const std::string& name);

}  // namespace dyad::encode
