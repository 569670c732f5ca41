#pragma once
// The fixed parts of a rows file, as drawn in rows_file.h; shared by its writer and its reader.
#include <cstdint>

namespace dyad::ckpt::layout {

inline constexpr char kMagic[8] = {'D', 'Y', 'A', 'D', 'R', 'O', 'W', 'S'};
inline constexpr std::uint32_t kVersion = 1, kEnd = ~0u;

struct File {
  char magic[8];
  std::uint32_t version, tables;
  std::uint64_t step;
  std::uint32_t group, groups, buckets, zero;
};
struct Table {
  std::uint32_t table, dim, slots;
  char optimizer[20];
};
struct Section {
  std::uint32_t bucket, table;
  std::uint64_t rows;
};
struct End {
  Section end;                                   // kEnd, kEnd, number of sections
  std::uint64_t digest;
};
static_assert(sizeof(File) == 40 && sizeof(Table) == 32 && sizeof(Section) == 16 && sizeof(End) == 24);

constexpr std::uint64_t padded(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace dyad::ckpt::layout
