#pragma once
// Compares two checkpoints: the oracle of every fault test. Equal means the same step and the same bytes in every file
// but config.toml, which holds names and places too (its part that decides results is compared by digest). Where files
// differ it says which tables, keys and tensors, and by how much at most.
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/ckpt/manifest.h"

namespace dyad::ckpt {

struct Difference {
  std::string where;  // "rows/g0003.rows: table item", "dense.safetensors: encoder.0.weight"
  std::string what;                                // "4 of 120 rows differ, first key 17", "only in the first"
  double max_abs = 0;                              // largest absolute difference of two values, 0 when not comparable
};
struct DiffReport {
  std::vector<Difference> differences;
  std::vector<std::string> notes;                  // what is not counted: other places, other facts
  bool equal() const { return differences.empty(); }
};

// Verifies both first (every byte). kInvalid / kNotFound as verify() says.
Result<DiffReport> diff(const std::filesystem::path& first, const std::filesystem::path& second);

}  // namespace dyad::ckpt
