#include "ps/weights.h"

#include <cstring>
#include <set>
#include <vector>
#include "common/ckpt/manifest.h"
#include "common/ckpt/rows_file.h"
#include "ps/cut.h"

namespace dyad::ps {
namespace {

Status check_tables(const std::string& path, const ckpt::RowsHeader& header, const Shard& shard) {
  for (std::size_t t = 0; t < shard.tables().size(); ++t) {
    const auto id = static_cast<TableId>(t);
    const ckpt::RowsTable* theirs = nullptr;
    for (const ckpt::RowsTable& table : header.tables) if (table.table == id) theirs = &table;
    if (theirs == nullptr || theirs->dim != shard.table(id).dim())
      return fail(Code::kInvalid, "{}: rows of table {} have {} floats, this job's {}: begin with a checkpoint of its "
                  "model.dim", path, shard.tables()[t].name, theirs == nullptr ? 0 : theirs->dim,
                  shard.table(id).dim());
  }
  return ok();
}

Status check_header(const std::string& path, const ckpt::RowsHeader& header, const ckpt::Manifest& manifest,
                    GroupId group, const Shard& shard) {
  if (header.step != manifest.step || header.group != group || header.groups != manifest.groups ||
      !wire::check(wire::Partition{header.buckets, header.groups}))
    return fail(Code::kInvalid, "{}: holds step {}, group {} of {}; the manifest says step {}, group {} of {}", path,
                header.step, header.group, header.groups, manifest.step, group, manifest.groups);
  return check_tables(path, header, shard);
}

// The rows of one section that are ours, and what is put beside each.
class Picked {
 public:
  // `mine` [groups of partition]: which are loaded.
  Picked(const wire::Partition& partition, const std::vector<bool>& mine) : partition_(partition), mine_(mine) {}
  void take(const ckpt::RowsSection& section, std::size_t dim, std::size_t slots) {
    const std::size_t stride = section.data.size() / section.keys.size();
    keys_.clear(), data_.clear();
    for (std::size_t i = 0; i < section.keys.size(); ++i) {
      const RowKey key = section.keys[i];
      if (!mine_[partition_.group(partition_.bucket(section.table, key)).value]) continue;
      keys_.push_back(key);
      const float* value = section.data.data() + i * stride;
      data_.insert(data_.end(), value, value + dim);
      data_.insert(data_.end(), slots, 0.0f);    // zeros before the first update (optimizer.h)
    }
    counts_.assign(keys_.size(), 0);
  }
  void put_into(RowTable& table) const { if (!keys_.empty()) table.load(keys_, counts_, data_); }

 private:
  const wire::Partition& partition_;
  const std::vector<bool>& mine_;
  std::vector<RowKey> keys_;
  std::vector<std::uint32_t> counts_;
  std::vector<float> data_;
};

Status check_keys(const std::string& path, const ckpt::RowsSection& section, const wire::Partition& theirs,
                  const Tables& tables) {
  if (static_cast<std::size_t>(section.table) >= tables.size())
    return fail(Code::kInvalid, "{}: has rows of table {}, this job has no such", path, name_of(tables, section.table));
  DYAD_TRYV(check_buckets(path, section, theirs, tables));
  // They ascend: the last one tells whether all are rows of this job's catalogue and codes.
  const std::uint64_t end = tables[static_cast<std::size_t>(section.table)].key_end;
  if (section.keys.back().value >= end)
    return fail(Code::kInvalid, "{}: has row {} of table {}, job.data has {}: it was trained on another catalogue",
                path, section.keys.back(), name_of(tables, section.table), end);
  return ok();
}

}  // namespace

// A bucket is a share of the hashes, by multiplication, and a group a run of buckets: a group g of G has the hashes of
// [g / G, (g + 1) / G), whatever the number of buckets.
GroupRange groups_under(GroupId group, std::uint32_t ours, std::uint32_t theirs) {
  const std::uint64_t begin = std::uint64_t{group.value} * theirs, end = begin + theirs;
  return {static_cast<std::uint32_t>(begin / ours), static_cast<std::uint32_t>((end + ours - 1) / ours)};
}

Status load_weights(const GivenWeights& from, const wire::Partition& partition, std::span<const GroupId> groups,
                    Shard& shard, const std::atomic<bool>& stop) {
  DYAD_TRY(manifest, ckpt::read_manifest_of(from.checkpoint, from.manifest));
  std::vector<bool> mine(partition.groups);
  std::set<std::uint32_t> files;
  for (const GroupId group : groups) {
    mine[group.value] = true;
    const GroupRange range = groups_under(group, partition.groups, manifest.groups);
    for (std::uint32_t g = range.first; g < range.end; ++g) files.insert(g);
  }
  Picked picked(partition, mine);
  for (const std::uint32_t file : files) {
    const std::string path = (from.checkpoint / ckpt::rows_file_name(GroupId{file})).string();
    wire::Partition theirs;
    DYAD_TRYV(ckpt::RowsFile::stream(
        path,
        [&](const ckpt::RowsHeader& header) {
          theirs = {header.buckets, header.groups};
          return check_header(path, header, manifest, GroupId{file}, shard);
        },
        [&](const ckpt::RowsSection& section) -> Status {
          if (stop) return fail(Code::kStale, "{}: the server leaves before it is loaded", path);
          DYAD_TRYV(check_keys(path, section, theirs, shard.tables()));
          const TableSnapshot shape = shard.table(section.table).shape();
          picked.take(section, shape.dim, shape.slots);
          picked.put_into(shard.table(section.table));
          return ok();
        }));
    if (file == *files.begin()) shard.reserve(files.size());
  }
  return ok();
}

}  // namespace dyad::ps
