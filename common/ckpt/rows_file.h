#pragma once
// The rows of one group of buckets at one step, as a checkpoint holds them: every table, with optimizer state and
// update counts. The bytes are a function of the rows alone: whatever the number of servers and threads that wrote
// them.
//
//   | "DYADROWS" | version u32 | tables u32 | step u64 | group u32 | groups u32 | buckets u32 | 0 u32 |
//   per table:   | table u32 | dim u32 | slots u32 | optimizer char[20], zero-padded |
//   per section: | bucket u32 | table u32 | rows u64 | keys u64 [rows] | counts u32 [rows] | data f32 [rows, dim +
//   slots] |
//                ascending by (bucket, table), keys ascending within; counts and data each padded with zeros to 8 bytes
//   end:         | ~0 u32 | ~0 u32 | sections u64 | XXH3-64 of all bytes before u64 |
// Little-endian. slots: floats of optimizer state per row. Threads: one a writer; a RowsFile is immutable.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/io/mapped_file.h"
#include "common/tables/tables.h"

namespace dyad::ckpt {

struct RowsTable {
  TableId table{};
  std::uint32_t dim = 0, slots = 0;
  std::string optimizer;                         // at most 19 characters
  bool operator==(const RowsTable&) const = default;
};
struct RowsHeader {
  Step step;
  GroupId group;
  std::uint32_t groups = 0, buckets = 0;
  std::vector<RowsTable> tables;                 // ascending by table
};
std::string rows_file_name(GroupId group);       // "rows/g0007.rows", relative to the checkpoint's folder

struct RowView {
  BucketId bucket;
  TableId table{};
  RowKey key;
  std::uint32_t count = 0;
  std::span<const float> value, slots;
};

struct RowsSection {                             // of one bucket and table
  BucketId bucket;
  TableId table{};
  std::span<const RowKey> keys;                  // ascending
  std::span<const std::uint32_t> counts;
  std::span<const float> data;                   // [keys, dim + slots]
};

class RowsFile {
 public:
  // Checks digest, layout, order and bounds of everything before it returns. Errors name the file.
  static Result<RowsFile> open(const std::filesystem::path& path);
  // The same in one pass: each section goes to `visit` when its layout, order and bounds are checked, and the digest
  // comes last. For a caller who throws away what it was given when an error follows; an error of its own ends it.
  using VisitHeader = std::function<Status(const RowsHeader&)>;
  using VisitSection = std::function<Status(const RowsSection&)>;
  static Status stream(const std::filesystem::path& path, const VisitHeader& header, const VisitSection& visit);
  const RowsHeader& header() const { return header_; }
  std::uint64_t rows() const { return rows_; }
  void for_each(const std::function<void(const RowView&)>& visit) const;   // in the order of the file

 private:
  RowsFile() = default;
  static Result<RowsFile> map(const std::filesystem::path& path);
  Status check(const VisitSection& visit);
  Result<RowsSection> section_at(std::uint64_t at, std::uint64_t& next) const;
  Error damaged(std::string what) const;
  io::MappedFile file_;
  std::size_t sections_at_ = 0;
  RowsHeader header_;
  std::uint64_t rows_ = 0;
};

// The rows of one table; what evaluation and `dyad ckpt diff` need.
Status read_rows(const std::filesystem::path& path, TableId table, const std::function<void(const RowView&)>& visit);

}  // namespace dyad::ckpt
