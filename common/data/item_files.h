#pragma once
// What a dataset folder holds of each item, by stream: its path of codes, and its vector E^b or E^s (the files are in
// dataset.h). Here because the roles read them alike, and must say alike what to do when they are missing.
// Threads: immutable after open.
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include "common/base/result.h"
#include "common/data/trie.h"
#include "common/io/safetensors.h"

namespace dyad::data {

inline constexpr std::array kStreams{"behaviour", "semantic"};

// codes/<stream>.safetensors. Fails naming the file that is missing, damaged or not of `items` items, and the command
// that makes it.
Result<Trie> open_codes(const std::filesystem::path& dir, const std::string& stream, std::size_t items);

// The vectors' digest, as hex64, that `dyad codes build` noted in the file; empty where codes came from elsewhere.
Result<std::string> codes_built_from(const std::filesystem::path& dir, const std::string& stream);

// vectors/<stream>.safetensors, mapped: nothing is copied until it is asked for.
class ItemVectors {
 public:
  // Fails as open_codes() does.
  static Result<ItemVectors> open(const std::filesystem::path& dir, const std::string& stream, std::size_t items);
  std::size_t items() const { return values_.shape[0]; }
  std::size_t width() const { return values_.shape[1]; }
  // [items, width] as fp32, row-major. REQUIRES: out.size() == items() * width().
  Status copy_to(std::span<float> out) const;
  Result<std::uint64_t> digest() const;      // digest64 of what copy_to() gives

 private:
  io::Safetensors file_;
  io::Tensor values_;                        // borrows from file_
};

}  // namespace dyad::data
