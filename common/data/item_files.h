#pragma once
// What a dataset folder holds of each item, by stream: its path of codes, and its vector E^b or E^s (the files are in
// dataset.h). Here because the roles read them alike, and must say alike what to do when they are missing.
// A row belongs to an item by its place alone. So the files that we write are sealed (safetensors.h) and note the
// catalogue that they are for ("items": keys_digest()): damaged ones and those of other items or another order are
// refused, however well they fit in number. Files made elsewhere lack both and are taken as they are.
// Threads: immutable after open.
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "common/data/trie.h"
#include "common/io/matrix.h"
#include "common/io/safetensors.h"

namespace dyad::data {

inline constexpr std::array kStreams{"behaviour", "semantic"};

struct ItemCodes {
  Trie trie;
  std::string built_from;                    // hex64 of the vectors' digest as `dyad codes build` noted it, or empty
  bool sealed = false;
};
// codes/<stream>.safetensors. Fails naming the file that is missing, damaged or not of this catalogue, and the command
// that makes it.
Result<ItemCodes> open_codes(const Dataset& dataset, const std::string& stream);

// vectors/<stream>.safetensors, mapped: nothing is copied until it is asked for.
class ItemVectors {
 public:
  // Fails as open_codes() does.
  static Result<ItemVectors> open(const Dataset& dataset, const std::string& stream);
  std::size_t items() const { return values_.shape[0]; }
  std::size_t width() const { return values_.shape[1]; }
  bool sealed() const { return file_.sealed(); }
  const std::filesystem::path& path() const { return file_.path(); }
  const io::Metadata& metadata() const { return file_.metadata(); }
  // [items, width] as fp32, row-major. REQUIRES: out.size() == items() * width().
  Status copy_to(std::span<float> out) const;
  Result<std::uint64_t> digest() const;      // digest64 of what copy_to() gives

 private:
  io::Safetensors file_;
  io::Tensor values_;                        // borrows from file_
};

// The files as we write them, `keys` being the catalogue's keys_digest(). REQUIRES: finite rows; codes of a Trie.
Status write_vectors(const std::filesystem::path& file, std::uint64_t keys, const io::Matrix& rows,
                     const std::string& source);
Status write_codes(const std::filesystem::path& file, std::uint64_t keys, std::span<const std::int32_t> codes,
                   std::size_t levels, io::Metadata made_by);

}  // namespace dyad::data
