// rows/g0000.rows of a checkpoint (common/ckpt/rows_file.h). Its last eight bytes, the checksum, are put right.
#include "common/ckpt/rows_file.h"
#include <bit>
#include "common/ckpt/rows_writer.h"
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

struct Row {
  BucketId bucket;
  TableId table{0};
  RowKey key;
  std::uint32_t count = 0;
  std::vector<std::uint32_t> data;                       // the bits of value and slots
  bool operator==(const Row&) const = default;
};

std::vector<Row> rows_of(const ckpt::RowsFile& file) {
  std::vector<Row> rows;
  file.for_each([&](const ckpt::RowView& view) {
    Row& row = rows.emplace_back(Row{view.bucket, view.table, view.key, view.count, {}});
    for (const auto& part : {view.value, view.slots})
      for (const float value : part) row.data.push_back(std::bit_cast<std::uint32_t>(value));
  });
  return rows;
}

std::string written(const ckpt::RowsHeader& header, const std::vector<Row>& rows) {
  const std::filesystem::path file = folder() / "y.rows";
  auto writer = ckpt::RowsWriter::create(file, header).value();
  std::vector<ckpt::RowRef> section;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    section.push_back({row.key, row.count, reinterpret_cast<const float*>(row.data.data())});
    if (i + 1 < rows.size() && rows[i + 1].bucket == row.bucket && rows[i + 1].table == row.table) continue;
    CHECK(writer.section(row.bucket, row.table, section).has_value());
    section.clear();
  }
  CHECK(writer.finish().has_value());
  return bytes_of(file);
}

}  // namespace

std::vector<std::string> seeds() {
  const ckpt::RowsHeader header{
      Step{40}, GroupId{7}, 32, 1024, {{TableId{0}, 3, 2, "adagrad"}, {TableId{2}, 5, 0, "sgd"}}};
  const std::vector<std::uint32_t> data{1, 2, 3, 4, 5};
  return {written(header, {{BucketId{224}, TableId{0}, RowKey{4}, 9, data},
                           {BucketId{224}, TableId{0}, RowKey{1ull << 40}, 1, data},
                           {BucketId{225}, TableId{2}, RowKey{6}, 3, data}}),
          written(header, {})};
}

void decode(std::string_view bytes) {
  std::string mended(bytes);
  if (mended.size() >= 8) put_number(mended, mended.size() - 8, digest64(mended.substr(0, mended.size() - 8)));
  const auto opened = ckpt::RowsFile::open(put("x.rows", mended));
  if (!opened) return;
  const ckpt::RowsHeader& header = opened.value().header();
  const std::vector<Row> rows = rows_of(opened.value());
  CHECK_EQ(rows.size(), opened.value().rows());
  const auto again = ckpt::RowsFile::open(put("z.rows", written(header, rows)));
  CHECK(again.has_value() && again.value().header().tables == header.tables && rows_of(again.value()) == rows);
}

}  // namespace dyad::fuzz
