#pragma once
// A dataset folder, as `dyad import` writes it:
//   dataset.json            format version, counts, partitions, digests of the files below; written last, by rename
//   log/p0003/00000000.seg  append-only segments of the interaction log, CRC per record batch; .idx beside each
//   catalogue.jsonl         a line per item in the order of ItemId: key, title, brand, categories
//   users.txt               a line per user in the order of UserId: the outside id
//   vectors/{behaviour,semantic}.safetensors   "embedding" [items, width] float32 (dyad encode)
//   codes/{behaviour,semantic}.safetensors     "codes" [items, levels] int32     (dyad codes build)
// A row of the last two is an item's by its place alone: both note which catalogue they are for (item_files.h).
// Threads: immutable after open.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/result.h"
#include "common/data/types.h"

namespace dyad::data {

class LogSource;
struct DatasetFacts;

class Dataset {
 public:
  // Reads the log and the catalogue into memory: 8 bytes an event, and while it reads 16 an event of one partition.
  // Events of one user keep their log order (time order, checked at import); times stay in the log.
  // Fails with kInvalid naming the file and the batch that is damaged or gone, kNotFound if there is no dataset.json.
  static Result<Dataset> open(const std::filesystem::path& dir);

  std::size_t users() const { return ranges_.size(); }
  std::size_t items() const { return items_.size(); }
  std::size_t events() const { return sequence_.size(); }
  std::span<const ItemId> sequence(UserId user) const;              // oldest first
  Position position(UserId user, std::size_t index) const;          // of sequence(user)[index]
  const Item& item(ItemId id) const { return items_[id.value]; }
  std::span<const Item> catalogue() const { return items_; }        // [i] is ItemId{i}
  std::string_view user_key(UserId id) const { return user_keys_[id.value]; }
  std::uint64_t digest() const { return digest_; }                  // of the log and the catalogue
  std::uint64_t keys_digest() const { return keys_digest_; }        // of the items' keys in their order
  const std::filesystem::path& dir() const { return dir_; }

 private:
  struct Range { std::size_t begin = 0, end = 0; };                 // [begin, end)
  static Result<Dataset> open_parts(const std::filesystem::path& dir);
  Status load_events(LogSource& log, const DatasetFacts& facts);
  void append_partition(std::span<const Event> events);

  std::filesystem::path dir_;
  std::uint32_t partitions_ = 0;
  std::vector<Range> ranges_;                                       // of each user in sequence_, partition by partition
  std::vector<ItemId> sequence_;
  std::vector<std::uint32_t> offsets_;                              // beside sequence_, in the user's partition
  std::vector<Item> items_;
  std::vector<std::string> user_keys_;
  std::uint64_t digest_ = 0, keys_digest_ = 0;
};

}  // namespace dyad::data
