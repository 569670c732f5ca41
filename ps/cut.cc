#include "ps/cut.h"

#include <algorithm>
#include <utility>
#include "common/base/check.h"
#include "common/ckpt/rows_writer.h"

namespace dyad::ps {
namespace {

struct Located {
  std::uint64_t place;                           // bucket, then table: the order of sections in a file
  ckpt::RowRef row;
  auto order() const { return std::pair(place, row.key); }
};
std::uint64_t place_of(BucketId bucket, TableId table) {
  return std::uint64_t{bucket.value} << 8 | static_cast<std::uint64_t>(table);
}

std::vector<Located> sorted_rows(const Cut& cut, const wire::Partition& partition) {
  std::size_t count = 0;
  for (const auto& shard : cut.shards) for (const TableSnapshot& table : shard->tables) count += table.rows;
  std::vector<Located> rows;
  rows.reserve(count);
  for (const auto& shard : cut.shards)
    for (const TableSnapshot& table : shard->tables)
      for (std::size_t r = 0; r < table.rows; ++r) {
        const Slab& slab = *table.slabs[r / Slab::kRows];
        const std::size_t at = r % Slab::kRows;
        rows.push_back({place_of(partition.bucket(table.table, slab.key(at)), table.table),
                        {slab.key(at), slab.counts.at(at), slab.data.get() + at * slab.stride}});
      }
  std::sort(rows.begin(), rows.end(), [](const Located& a, const Located& b) { return a.order() < b.order(); });
  return rows;
}

ckpt::RowsTable shape_of(const TableSnapshot& t) { return {t.table, t.dim, t.slots, t.optimizer}; }
std::vector<ckpt::RowsTable> shapes_of(const ShardSnapshot& shard) {
  std::vector<ckpt::RowsTable> tables;
  for (const TableSnapshot& t : shard.tables) tables.push_back(shape_of(t));
  return tables;
}
std::vector<ckpt::RowsTable> shapes_of(const Shard& shard) {
  std::vector<ckpt::RowsTable> tables;
  for (std::size_t t = 0; t < shard.tables().size(); ++t)
    tables.push_back(shape_of(shard.table(static_cast<TableId>(t)).shape()));
  return tables;
}

Result<ckpt::Written> write_group(const std::filesystem::path& path, const ckpt::RowsHeader& header,
                                  std::span<const Located> rows) {
  DYAD_TRY(writer, ckpt::RowsWriter::create(path, header));
  std::vector<ckpt::RowRef> section;
  for (std::size_t begin = 0; begin < rows.size();) {
    section.clear();
    std::size_t end = begin;
    for (; end < rows.size() && rows[end].place == rows[begin].place; ++end) section.push_back(rows[end].row);
    const auto place = rows[begin].place;
    DYAD_TRYV(
        writer.section(BucketId{static_cast<std::uint32_t>(place >> 8)}, static_cast<TableId>(place & 0xff), section));
    begin = end;
  }
  return writer.finish();
}

Status check_header(const std::string& path, const ckpt::RowsHeader& header, Step step, GroupId group,
                    const wire::Partition& partition, const Shard& shard) {
  if (header.step != step || header.group != group || header.groups != partition.groups ||
      header.buckets != partition.buckets)
    return fail(
        Code::kInvalid,
        "{}: holds step {}, group {} of {} and {} buckets; step {}, group {} of {} and {} buckets were expected: "
        "resume with the servers.buckets and servers.groups of the checkpoint",
        path, header.step, header.group, header.groups, header.buckets, step, group, partition.groups,
        partition.buckets);
  const auto shapes = shapes_of(shard);
  if (header.tables != shapes)
    return fail(Code::kInvalid,
                "{}: was written with other row widths or another optimizer ({}; this job: {}): resume with the "
                "model.dim and rows.optimizer of the checkpoint",
                path, header.tables.empty() ? "none" : header.tables[0].optimizer, shapes[0].optimizer);
  return ok();
}

// A row in a wrong place would be served by nobody, or twice.
Status check_places(const std::string& path, const ckpt::RowsSection& section, GroupId group,
                    const wire::Partition& partition, const Tables& tables) {
  if (partition.group(section.bucket) != group)
    return fail(Code::kInvalid, "{}: damaged: bucket {} is not of group {}", path, section.bucket, group);
  return check_buckets(path, section, partition, tables);
}

}  // namespace

Status check_buckets(const std::string& path, const ckpt::RowsSection& section, const wire::Partition& partition,
                     const Tables& tables) {
  for (const RowKey key : section.keys)
    if (partition.bucket(section.table, key) != section.bucket)
      return fail(Code::kInvalid, "{}: damaged: row {} of table {} is not of bucket {}", path, key,
                  name_of(tables, section.table), section.bucket);
  return ok();
}

Result<std::vector<wire::FilePart>> write_cut(const std::filesystem::path& checkpoint, const Cut& cut,
                                              const wire::Partition& partition, std::span<const GroupId> groups,
                                              const std::atomic<bool>& stop) {
  CHECK(!cut.shards.empty());
  const std::vector<Located> rows = sorted_rows(cut, partition);
  ckpt::RowsHeader header{cut.step, {}, partition.groups, partition.buckets, shapes_of(*cut.shards[0])};
  std::vector<wire::FilePart> parts;
  for (const GroupId group : groups) {
    if (stop) return fail(Code::kStale, "the cut of step {} is not wanted any more", cut.step);
    header.group = group;
    const auto from = [&](std::uint32_t bucket) {
      return std::lower_bound(rows.begin(), rows.end(), std::uint64_t{bucket} << 8,
                              [](const Located& row, std::uint64_t p) { return row.place < p; });
    };
    const auto first = from(group.value * partition.buckets_per_group()),
               last = from((group.value + 1) * partition.buckets_per_group());
    const std::string name = ckpt::rows_file_name(group);
    DYAD_TRY(written, write_group(checkpoint / name, header, {first, last}));
    parts.push_back({name, written.bytes, written.digest});
  }
  return parts;
}

Status load_cut(const std::filesystem::path& checkpoint, Step step, const wire::Partition& partition,
                std::span<const GroupId> groups, Shard& shard, const std::atomic<bool>& stop) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const GroupId group = groups[i];
    const std::string path = (checkpoint / ckpt::rows_file_name(group)).string();
    DYAD_TRYV(ckpt::RowsFile::stream(
        path,
        [&](const ckpt::RowsHeader& header) { return check_header(path, header, step, group, partition, shard); },
        [&](const ckpt::RowsSection& section) -> Status {
          if (stop) return fail(Code::kStale, "{}: the server leaves before it is loaded", path);
          DYAD_TRYV(check_places(path, section, group, partition, shard.tables()));
          shard.table(section.table).load(section.keys, section.counts, section.data);
          return ok();
        }));
    if (i == 0) shard.reserve(groups.size());
  }
  return ok();
}

}  // namespace dyad::ps
