#pragma once
// Writes a rows file (rows_file.h draws its bytes), section by section. Threads: one a writer.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include "common/base/result.h"
#include "common/ckpt/rows_file.h"

namespace dyad::ckpt {

struct RowRef {
  RowKey key;
  std::uint32_t count = 0;                       // updates of the row
  const float* data = nullptr;                   // [dim + slots]
};
struct Written { std::uint64_t bytes = 0, digest = 0; };   // digest64 of the whole file

// Writes beside `path` and renames at finish(), after fsync: a half-written file never has the name. Creates missing
// folders.
class RowsWriter {
 public:
  static Result<RowsWriter> create(const std::filesystem::path& path, const RowsHeader& header);
  RowsWriter(RowsWriter&&) noexcept;
  ~RowsWriter();                                 // without finish(): removes the temporary
  // REQUIRES ascending (bucket, table) over the calls and ascending keys within `rows`. An empty section leaves no
  // trace.
  Status section(BucketId bucket, TableId table, std::span<const RowRef> rows);
  Result<Written> finish();

 private:
  struct State;
  explicit RowsWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dyad::ckpt
