#include "common/ckpt/rows_writer.h"

#include <cstring>
#include "common/base/check.h"
#include "common/ckpt/rows_file.h"
#include "common/ckpt/rows_file_layout.h"
#include "common/io/atomic_file.h"

namespace dyad::ckpt {

std::string rows_file_name(GroupId group) { return fmt::format("rows/g{:04}.rows", group.value); }

struct RowsWriter::State {
  io::AtomicFile file;
  RowsHeader header;
  Digest digest;  // of all that was put: the file's own last field needs it before the end
  std::uint64_t bytes = 0, sections = 0;
  std::uint64_t last = 0;                        // (bucket, table) + 1 of the last section

  Status put(const void* data, std::size_t n) {
    const std::span bytes_of{static_cast<const std::byte*>(data), n};
    digest.update(bytes_of);
    bytes += n;
    return file.write(bytes_of);
  }
  Status pad() {
    const std::uint64_t zero = 0;
    return put(&zero, layout::padded(bytes) - bytes);
  }
};

RowsWriter::RowsWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowsWriter::RowsWriter(RowsWriter&&) noexcept = default;
RowsWriter::~RowsWriter() = default;

Result<RowsWriter> RowsWriter::create(const std::filesystem::path& path, const RowsHeader& header) {
  DYAD_TRY(opened, io::AtomicFile::create(path));
  auto state = std::make_unique<State>(State{std::move(opened), header, {}, 0, 0, 0});
  layout::File file{{},
                    layout::kVersion,
                    static_cast<std::uint32_t>(header.tables.size()),
                    header.step.value,
                    header.group.value,
                    header.groups,
                    header.buckets,
                    0};
  std::memcpy(file.magic, layout::kMagic, sizeof file.magic);
  DYAD_TRYV(state->put(&file, sizeof file));
  for (const RowsTable& t : header.tables) {
    layout::Table table{static_cast<std::uint32_t>(t.table), t.dim, t.slots, {}};
    CHECK_LT(t.optimizer.size(), sizeof table.optimizer);
    std::memcpy(table.optimizer, t.optimizer.data(), t.optimizer.size());
    DYAD_TRYV(state->put(&table, sizeof table));
  }
  return RowsWriter(std::move(state));
}

Status RowsWriter::section(BucketId bucket, TableId table, std::span<const RowRef> rows) {
  if (rows.empty()) return ok();
  State& s = *state_;
  const RowsTable* shape = nullptr;
  for (const RowsTable& t : s.header.tables) if (t.table == table) shape = &t;
  CHECK(shape != nullptr);
  const std::uint64_t place = (std::uint64_t{bucket.value} << 8 | static_cast<std::uint64_t>(table)) + 1;
  CHECK_GT(place, s.last);
  s.last = place;
  ++s.sections;
  const layout::Section section{bucket.value, static_cast<std::uint32_t>(table), rows.size()};
  DYAD_TRYV(s.put(&section, sizeof section));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(i == 0 || rows[i - 1].key < rows[i].key);
    DYAD_TRYV(s.put(&rows[i].key, sizeof(RowKey)));
  }
  for (const RowRef& row : rows) { DYAD_TRYV(s.put(&row.count, sizeof row.count)); }
  DYAD_TRYV(s.pad());
  const std::size_t floats = std::size_t{shape->dim} + shape->slots;
  for (const RowRef& row : rows) { DYAD_TRYV(s.put(row.data, floats * sizeof(float))); }
  return s.pad();
}

Result<Written> RowsWriter::finish() {
  State& s = *state_;
  const layout::Section end{layout::kEnd, layout::kEnd, s.sections};
  DYAD_TRYV(s.put(&end, sizeof end));
  const std::uint64_t digest = s.digest.value();
  DYAD_TRYV(s.put(&digest, sizeof digest));
  DYAD_TRY(facts, s.file.commit());
  return Written{facts.bytes, facts.digest};
}

}  // namespace dyad::ckpt
