#pragma once
// A server's part of a checkpoint: frozen shards to files, one per group (common/ckpt/rows_file.h), and back. Which
// shard of a server holds a group's rows does not show in the files, so any number of servers and threads can read
// them. Threads: any; a snapshot is immutable.
#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>
#include "common/ckpt/rows_file.h"
#include "common/wire/messages.h"
#include "common/wire/routing.h"
#include "ps/shard.h"

namespace dyad::ps {

struct Cut {
  Step step;
  std::vector<std::shared_ptr<const ShardSnapshot>> shards;
};

// Writes rows/g0000.rows ... for each of `groups`, also those without rows, and returns them, synced. Costs 32 bytes a
// row beside the snapshot. Once `stop` is set it ends with kStale, between two files.
Result<std::vector<wire::FilePart>> write_cut(const std::filesystem::path& checkpoint, const Cut& cut,
                                              const wire::Partition& partition, std::span<const GroupId> groups,
                                              const std::atomic<bool>& stop);
// Reads the files of `groups` from a checkpoint at `step` into `shard`, which has none of their rows yet. Once `stop`
// is set it ends with kStale, between two sections. kInvalid, naming the file, when its step, partition, dims or
// optimizer differ from this job's, or a row lies where it does not belong. After an error the shard is no good.
Status load_cut(const std::filesystem::path& checkpoint, Step step, const wire::Partition& partition,
                std::span<const GroupId> groups, Shard& shard, const std::atomic<bool>& stop);
// kInvalid, naming file and row, when a row of a section is not of the section's bucket: it would be served by nobody.
// REQUIRES: the section's table is one of `tables`.
Status check_buckets(const std::string& path, const ckpt::RowsSection& section, const wire::Partition& partition,
                     const Tables& tables);

}  // namespace dyad::ps
