#pragma once
// Rows of another job's checkpoint as the weights that a job begins with (job.init_from): values alone, without updates
// and without the state of an optimizer, for this job may have another. Its buckets, groups and servers may be others
// too. Threads: any; a shard has one.
#include <atomic>
#include <filesystem>
#include <span>
#include "common/base/result.h"
#include "common/wire/messages.h"
#include "common/wire/routing.h"
#include "ps/shard.h"

namespace dyad::ps {

struct GivenWeights {
  std::filesystem::path checkpoint;
  std::uint64_t manifest = 0;                    // the digest that it had when the coordinator looked
};

// Puts the rows of `groups` into `shard`, which has none of them yet, reading no file that can't hold one. Once `stop`
// is set it ends with kStale, between two sections. kInvalid: the checkpoint is another than the coordinator saw; or,
// naming the file, its tables or row widths are not this job's, or it is damaged. After an error the shard is no good.
Status load_weights(const GivenWeights& from, const wire::Partition& partition, std::span<const GroupId> groups,
                    Shard& shard, const std::atomic<bool>& stop);

// The groups of a checkpoint of `theirs` groups that can hold rows of `group` of `ours`, [first, end).
struct GroupRange { std::uint32_t first = 0, end = 0; };
GroupRange groups_under(GroupId group, std::uint32_t ours, std::uint32_t theirs);

}  // namespace dyad::ps
