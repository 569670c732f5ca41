#include "common/data/log_segment.h"

#include <algorithm>
#include <cstring>
#include "common/io/files.h"

namespace dyad::data::log {

std::filesystem::path partition_folder(const std::filesystem::path& log, PartitionId partition) {
  return log / fmt::format("p{:04}", partition.value);
}
std::filesystem::path segment_file(const std::filesystem::path& folder, std::size_t number) {
  return folder / fmt::format("{:08}.seg", number);
}
std::filesystem::path index_file(const std::filesystem::path& segment) {
  return std::filesystem::path(segment).replace_extension(".idx");
}

Result<std::uint32_t> count_partitions(const std::filesystem::path& log) {
  for (std::uint32_t n = 0;; ++n) {
    DYAD_TRY(there, io::is_folder(partition_folder(log, PartitionId{n})));
    if (!there) return n;
  }
}

Result<std::size_t> count_segments(const std::filesystem::path& folder) {
  for (std::size_t n = 0;; ++n) {
    DYAD_TRY(there, io::exists(segment_file(folder, n)));
    if (!there) return n;
  }
}

Result<Segment> Segment::open(const std::filesystem::path& path) {
  Segment segment;
  DYAD_TRY(file, io::MappedFile::open(path));
  segment.file_ = std::move(file);
  return segment;
}

Result<std::optional<Batch>> Segment::batch_at(std::size_t byte, std::optional<std::uint64_t> expected) const {
  if (byte >= bytes()) return std::optional<Batch>();
  Batch batch;
  batch.byte = byte;
  batch.bytes = file_.bytes().subspan(byte);
  batch.where = expected ? fmt::format("{}: batch at offset {} (byte {})", path().string(), *expected, byte)
                         : fmt::format("{}: batch at byte {}", path().string(), byte);
  DYAD_TRY(header, decode_header(batch.bytes, batch.where));
  if (expected && header.base != *expected)
    return fail(Code::kInvalid, "{}: holds offset {} instead; a segment is missing or altered", batch.where,
                header.base);
  batch.header = header;
  return std::optional<Batch>(std::move(batch));
}

Result<std::size_t> Segment::seek(std::uint64_t offset) const {
  const std::filesystem::path index = index_file(path());
  DYAD_TRY(there, io::exists(index));
  if (!there) return std::size_t{0};
  DYAD_TRY(file, io::MappedFile::open(index));
  DYAD_TRY(entries, decode_index(file.bytes(), index.string()));
  const auto after = std::upper_bound(entries.begin(), entries.end(), offset,
                                      [](std::uint64_t value, const IndexEntry& entry) { return value < entry.base; });
  if (after == entries.begin()) return std::size_t{0};
  const IndexEntry& entry = *std::prev(after);
  if (entry.byte >= bytes()) return std::size_t{0};             // the segment was cut: the walk will name where
  DYAD_TRY(batch, batch_at(entry.byte, std::nullopt));
  if (batch->header.base != entry.base) return std::size_t{0};  // of another segment, or the header was altered
  return static_cast<std::size_t>(entry.byte);
}

bool Segment::is_cut_at(std::size_t byte) const {
  const std::size_t left = bytes() - std::min(byte, bytes());
  if (left == 0) return false;
  if (left < kHeaderBytes) return true;
  std::uint32_t magic = 0, body = 0;
  std::memcpy(&magic, file_.bytes().data() + byte, 4);
  std::memcpy(&body, file_.bytes().data() + byte + 20, 4);
  return magic == kMagic && left < kHeaderBytes + body;
}

}  // namespace dyad::data::log
