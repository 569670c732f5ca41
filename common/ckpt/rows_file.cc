#include "common/ckpt/rows_file.h"

#include <cstring>
#include "common/base/check.h"
#include "common/ckpt/rows_file_layout.h"

namespace dyad::ckpt {
namespace {

template <class T> T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

const RowsTable* shape_of(const RowsHeader& header, std::uint32_t table) {
  for (const RowsTable& t : header.tables) if (static_cast<std::uint32_t>(t.table) == table) return &t;
  return nullptr;
}

// Where the parts of a section of `rows` rows lie, from its start. REQUIRES rows <= file size / 12, so that nothing
// overflows.
struct Parts {
  std::uint64_t keys, counts, data, end;
  Parts(std::uint64_t rows, const RowsTable& shape)
      : keys(sizeof(layout::Section)), counts(keys + 8 * rows), data(counts + layout::padded(4 * rows)),
        end(data + layout::padded(4 * rows * (std::uint64_t{shape.dim} + shape.slots))) {}
};

Result<RowsHeader> parse_header(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const auto file = load<layout::File>(bytes.data());
  if (std::memcmp(file.magic, layout::kMagic, sizeof file.magic) != 0)
    return fail(Code::kInvalid, "{}: not a rows file", path.string());
  if (file.version != layout::kVersion)
    return fail(Code::kInvalid, "{}: format version {}, this build reads {}", path.string(), file.version,
                layout::kVersion);
  if (file.tables > kTables || bytes.size() < sizeof file + file.tables * sizeof(layout::Table) + sizeof(layout::End))
    return fail(Code::kInvalid, "{}: damaged: header names {} tables in {} bytes", path.string(), file.tables,
                bytes.size());
  RowsHeader header{Step{file.step}, GroupId{file.group}, file.groups, file.buckets, {}};
  for (std::uint32_t i = 0; i < file.tables; ++i) {
    const auto t = load<layout::Table>(bytes.data() + sizeof file + i * sizeof(layout::Table));
    const bool ordered = header.tables.empty() || static_cast<std::uint32_t>(header.tables.back().table) < t.table;
    if (t.table >= kTables || !ordered || t.dim == 0 || t.dim > 1u << 20 || t.slots > 1u << 22 ||
        t.optimizer[sizeof t.optimizer - 1] != 0)
      return fail(Code::kInvalid, "{}: damaged: table {} of its header makes no sense", path.string(), i);
    header.tables.push_back({static_cast<TableId>(t.table), t.dim, t.slots, t.optimizer});
  }
  return header;
}

}  // namespace

Result<RowsFile> RowsFile::open(const std::filesystem::path& path) {
  RowsFile file;
  DYAD_TRY(mapped, io::MappedFile::open(path));
  file.file_ = std::move(mapped);
  DYAD_TRYV(file.parse());
  return file;
}

Status RowsFile::parse() {
  const std::filesystem::path& path = file_.path();
  const std::byte* bytes = file_.bytes().data();
  const std::size_t size = file_.bytes().size();
  if (size < sizeof(layout::File) + sizeof(layout::End))
    return fail(Code::kInvalid, "{}: truncated: {} bytes", path.string(), size);
  DYAD_TRY(header, parse_header(path, {bytes, size}));   // first, so that a stranger's file is called one
  header_ = std::move(header);
  const std::uint64_t body = size - sizeof(std::uint64_t);
  if (digest64({bytes, body}) != load<std::uint64_t>(bytes + body))
    return fail(Code::kInvalid, "{}: damaged: its checksum does not match its {} bytes", path.string(), size);
  sections_at_ = sizeof(layout::File) + header_.tables.size() * sizeof(layout::Table);
  const std::uint64_t end = size - sizeof(layout::End);
  std::uint64_t at = sections_at_, sections = 0, last = 0;
  while (at < end) {
    const auto section = load<layout::Section>(bytes + at);
    const RowsTable* shape = shape_of(header_, section.table);
    const std::uint64_t place = (std::uint64_t{section.bucket} << 8 | section.table) + 1;
    if (shape == nullptr || section.bucket >= header_.buckets || place <= last || section.rows == 0 ||
        section.rows > size / 12 || at + Parts(section.rows, *shape).end > end)
      return fail(Code::kInvalid, "{}: damaged: section {} at byte {} makes no sense", path.string(), sections, at);
    const auto* keys = reinterpret_cast<const std::uint64_t*>(bytes + at + sizeof section);
    for (std::uint64_t i = 1; i < section.rows; ++i)
      if (keys[i - 1] >= keys[i])
        return fail(Code::kInvalid, "{}: damaged: keys of bucket {} are not in order", path.string(), section.bucket);
    rows_ += section.rows;
    last = place;
    ++sections;
    at += Parts(section.rows, *shape).end;
  }
  const auto tail = load<layout::Section>(bytes + end);
  if (at != end || tail.bucket != layout::kEnd || tail.table != layout::kEnd || tail.rows != sections)
    return fail(Code::kInvalid, "{}: damaged: {} sections found, its end says {}", path.string(), sections, tail.rows);
  return ok();
}

void RowsFile::for_each(const std::function<void(const RowView&)>& visit) const {
  const std::byte* bytes = file_.bytes().data();
  const std::size_t size = file_.bytes().size();
  std::uint64_t at = sections_at_;
  while (at < size - sizeof(layout::End)) {
    const auto section = load<layout::Section>(bytes + at);
    const RowsTable& shape = *shape_of(header_, section.table);
    const Parts parts(section.rows, shape);
    const auto* counts = reinterpret_cast<const std::uint32_t*>(bytes + at + parts.counts);
    const auto* keys = reinterpret_cast<const std::uint64_t*>(bytes + at + parts.keys);
    const auto* data = reinterpret_cast<const float*>(bytes + at + parts.data);
    const std::size_t stride = std::size_t{shape.dim} + shape.slots;
    for (std::uint64_t i = 0; i < section.rows; ++i)
      visit({BucketId{section.bucket}, shape.table, RowKey{keys[i]}, counts[i], {data + i * stride, shape.dim},
             {data + i * stride + shape.dim, shape.slots}});
    at += parts.end;
  }
}

Status read_rows(const std::filesystem::path& path, TableId table, const std::function<void(const RowView&)>& visit) {
  DYAD_TRY(file, RowsFile::open(path));
  file.for_each([&](const RowView& row) { if (row.table == table) visit(row); });
  return ok();
}

}  // namespace dyad::ckpt
