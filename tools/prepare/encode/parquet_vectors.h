#pragma once
// Vectors of a Parquet file: a column of keys and one of lists of floats. No LibTorch here; Arrow in the .cc alone.
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/io/matrix.h"

namespace dyad::encode {

struct KeyedVectors {
  std::vector<std::string> keys;             // one a row
  io::Matrix rows;
};
// `key` and `vector` name the columns; empty: one of kKeyFields, and the only column of lists of floats. Keys are
// strings, whole numbers or UUIDs. Fails with kInvalid naming the file, the row and the column: nulls, lists of unequal
// length, other types.
Result<KeyedVectors> read_parquet_vectors(const std::filesystem::path& file, const std::string& key,
                                          const std::string& vector);

}  // namespace dyad::encode
