#pragma once
// The frames of bulk behind a header: per section one frame of keys (uint64, little-endian) and one of values
// (row-major, fp32 or fp16). A Pull has keys only, a PullReply values only, a Push both. Views only: nothing is copied.
// Threads: any.
#include <cstddef>
#include <span>
#include <vector>
#include "common/base/result.h"
#include "common/wire/messages.h"

namespace dyad::wire {

using Bytes = std::span<const std::byte>;

struct SectionView {
  TableId table{};
  std::size_t count = 0;
  std::span<const RowKey> keys;                            // empty in a PullReply
  Bytes values;  // empty in a Pull; not aligned for floats: use row_values.h or memcpy
};

inline std::size_t value_bytes(ValueType type) { return type == ValueType::kFp32 ? 4 : 2; }

// `frames` are those after the header, each 8-byte aligned (net::Frame as received is). kInvalid, naming the section,
// when a table is none of the job's, or counts and frame sizes disagree.
Result<std::vector<SectionView>> open_sections(const Pull& message, std::span<const Bytes> frames,
                                               const Tables& tables);
Result<std::vector<SectionView>> open_sections(const PullReply& message, std::span<const Bytes> frames,
                                               const Tables& tables);
Result<std::vector<SectionView>> open_sections(const Push& message, std::span<const Bytes> frames,
                                               const Tables& tables);

// Of the values of a section's rows. REQUIRES, here and below: opened with the same tables.
inline std::size_t row_bytes(const Tables& tables, TableId table, ValueType type) {
  return tables[static_cast<std::size_t>(table)].width * value_bytes(type);
}

// kInvalid, naming table and key, unless each table comes once and its keys ascend, each once, and are below its end.
Status check_keys(std::span<const SectionView> sections, const Tables& tables);
// kInvalid, naming table and key, when a value of a row is infinite or no number.
Status check_finite(std::span<const SectionView> sections, const Tables& tables, ValueType type);
// kInvalid, naming the table, when the values that a pull asks for would be a frame of more than bytes_max.
Status check_reply(std::span<const SectionView> sections, const Tables& tables, ValueType type,
                   std::uint64_t bytes_max);

}  // namespace dyad::wire
