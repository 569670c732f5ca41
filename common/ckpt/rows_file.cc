#include "common/ckpt/rows_file.h"

#include <algorithm>
#include <cstring>
#include <functional>
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
  if (file.tables > kTablesMax ||
      bytes.size() < sizeof file + file.tables * sizeof(layout::Table) + sizeof(layout::End))
    return fail(Code::kInvalid, "{}: damaged: header names {} tables in {} bytes", path.string(), file.tables,
                bytes.size());
  RowsHeader header{Step{file.step}, GroupId{file.group}, file.groups, file.buckets, {}};
  for (std::uint32_t i = 0; i < file.tables; ++i) {
    const auto t = load<layout::Table>(bytes.data() + sizeof file + i * sizeof(layout::Table));
    const bool ordered = header.tables.empty() || static_cast<std::uint32_t>(header.tables.back().table) < t.table;
    if (t.table >= kTablesMax || !ordered || t.dim == 0 || t.dim > 1u << 20 || t.slots > 1u << 22 ||
        t.optimizer[sizeof t.optimizer - 1] != 0)
      return fail(Code::kInvalid, "{}: damaged: table {} of its header makes no sense", path.string(), i);
    header.tables.push_back({static_cast<TableId>(t.table), t.dim, t.slots, t.optimizer});
  }
  return header;
}

std::uint64_t place_of(const RowsSection& s) {    // of bucket and table, from 1
  return (std::uint64_t{s.bucket.value} << 8 | static_cast<std::uint64_t>(s.table)) + 1;
}

}  // namespace

Result<RowsFile> RowsFile::map(const std::filesystem::path& path) {
  RowsFile file;
  DYAD_TRY(mapped, io::MappedFile::open(path));
  file.file_ = std::move(mapped);
  const auto bytes = file.file_.bytes();
  if (bytes.size() < sizeof(layout::File) + sizeof(layout::End))
    return fail(Code::kInvalid, "{}: truncated: {} bytes", path.string(), bytes.size());
  DYAD_TRY(header, parse_header(path, bytes));   // first, so that a stranger's file is called one
  file.header_ = std::move(header);
  file.sections_at_ = sizeof(layout::File) + file.header_.tables.size() * sizeof(layout::Table);
  return file;
}

Result<RowsFile> RowsFile::open(const std::filesystem::path& path) {
  DYAD_TRY(file, map(path));
  DYAD_TRYV(file.check([](const RowsSection&) { return ok(); }));
  return std::move(file);
}

Status RowsFile::stream(const std::filesystem::path& path, const VisitHeader& header, const VisitSection& visit) {
  DYAD_TRY(file, map(path));
  DYAD_TRYV(header(file.header_));
  return file.check(visit);
}

// A flipped bit is called one, wherever it shows first.
Error RowsFile::damaged(std::string what) const {
  const auto bytes = file_.bytes();
  const std::size_t body = bytes.size() - sizeof(std::uint64_t);
  if (digest64(bytes.first(body)) != load<std::uint64_t>(bytes.data() + body))
    what = fmt::format("its checksum does not match its {} bytes", bytes.size());
  return fail(Code::kInvalid, "{}: damaged: {}", file_.path().string(), what);
}

// The section at byte `at`, its bounds checked. `next`: where it ends.
Result<RowsSection> RowsFile::section_at(std::uint64_t at, std::uint64_t& next) const {
  const std::byte* bytes = file_.bytes().data() + at;
  const std::uint64_t end = file_.bytes().size() - sizeof(layout::End);
  const auto section = load<layout::Section>(bytes);
  const RowsTable* shape = shape_of(header_, section.table);
  if (shape == nullptr || section.bucket >= header_.buckets || section.rows == 0 ||
      section.rows > file_.bytes().size() / 12 || at + Parts(section.rows, *shape).end > end)
    return damaged(fmt::format("the section at byte {} makes no sense", at));
  const Parts parts(section.rows, *shape);
  next = at + parts.end;
  return RowsSection{BucketId{section.bucket},
                     shape->table,
                     {reinterpret_cast<const RowKey*>(bytes + parts.keys), section.rows},
                     {reinterpret_cast<const std::uint32_t*>(bytes + parts.counts), section.rows},
                     {reinterpret_cast<const float*>(bytes + parts.data),
                      section.rows * (std::size_t{shape->dim} + shape->slots)}};
}

Status RowsFile::check(const VisitSection& visit) {
  const auto bytes = file_.bytes();
  const std::uint64_t end = bytes.size() - sizeof(layout::End);
  Digest digest;
  digest.update(bytes.first(sections_at_));
  std::uint64_t at = sections_at_, next = 0, sections = 0, last = 0;
  for (; at < end; at = next, ++sections) {
    DYAD_TRY(section, section_at(at, next));
    if (place_of(section) <= last) return damaged(fmt::format("the section at byte {} is out of order", at));
    last = place_of(section);
    digest.update(bytes.subspan(at, next - at));   // small enough to be in the cache when it is visited
    const auto twice = std::adjacent_find(section.keys.begin(), section.keys.end(), std::greater_equal<>());
    if (twice != section.keys.end())
      return damaged(fmt::format("keys of bucket {} are not in order", section.bucket));
    DYAD_TRYV(visit(section));
    rows_ += section.keys.size();
  }
  digest.update(bytes.subspan(end, sizeof(layout::Section)));
  const auto tail = load<layout::End>(bytes.data() + end);
  if (tail.end.bucket != layout::kEnd || tail.end.table != layout::kEnd || tail.end.rows != sections)
    return damaged(fmt::format("{} sections found, its end says {}", sections, tail.end.rows));
  if (digest.value() != tail.digest) return damaged("");
  return ok();
}

void RowsFile::for_each(const std::function<void(const RowView&)>& visit) const {
  std::uint64_t next = 0;
  for (std::uint64_t at = sections_at_; at < file_.bytes().size() - sizeof(layout::End); at = next) {
    const RowsSection section = section_at(at, next).value();   // checked by open()
    const std::size_t dim = shape_of(header_, static_cast<std::uint32_t>(section.table))->dim;
    const std::size_t stride = section.data.size() / section.keys.size();
    for (std::size_t i = 0; i < section.keys.size(); ++i) {
      const auto row = section.data.subspan(i * stride, stride);
      visit({section.bucket, section.table, section.keys[i], section.counts[i], row.first(dim), row.subspan(dim)});
    }
  }
}

Status read_rows(const std::filesystem::path& path, TableId table, const std::function<void(const RowView&)>& visit) {
  DYAD_TRY(file, RowsFile::open(path));
  file.for_each([&](const RowView& row) { if (row.table == table) visit(row); });
  return ok();
}

}  // namespace dyad::ckpt
