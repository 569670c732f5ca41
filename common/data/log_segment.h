#pragma once
// One segment file, mapped, walked batch by batch; and the names of a partition's segments.
// Threads: immutable after open.
#include <filesystem>
#include <optional>
#include "common/data/log_format.h"
#include "common/io/mapped_file.h"

namespace dyad::data::log {

std::filesystem::path partition_folder(const std::filesystem::path& log, PartitionId partition);   // LOG/p0003
std::filesystem::path segment_file(const std::filesystem::path& folder, std::size_t number);  // FOLDER/00000000.seg
std::filesystem::path index_file(const std::filesystem::path& segment);                            // 00000000.idx
// Folders p0000, p0001, ... of a log; 0 if there is none.
Result<std::uint32_t> count_partitions(const std::filesystem::path& log);
// Segments 00000000.seg, 00000001.seg, ... that exist one after the other.
Result<std::size_t> count_segments(const std::filesystem::path& folder);

struct Batch {
  BatchHeader header;
  std::size_t byte = 0;                             // where it begins in the file
  std::span<const std::byte> bytes;                 // from there to the file's end
  std::string where;                                // "FILE: batch at offset 12 (byte 345)"
};

class Segment {
 public:
  static Result<Segment> open(const std::filesystem::path& path);
  std::size_t bytes() const { return file_.bytes().size(); }
  const std::filesystem::path& path() const { return file_.path(); }
  // The batch at `byte`, whose first event must be `expected` (any, if not given). Nothing at the end of the file.
  // Fails with kInvalid when the batch is cut short, no batch, or of another offset.
  Result<std::optional<Batch>> batch_at(std::size_t byte, std::optional<std::uint64_t> expected) const;
  // The byte of the last batch whose base is at most `offset`, by the index; 0 if there is no index.
  Result<std::size_t> seek(std::uint64_t offset) const;
  bool is_cut_at(std::size_t byte) const;           // a batch begins there that the file does not hold whole

 private:
  io::MappedFile file_;
};

}  // namespace dyad::data::log
