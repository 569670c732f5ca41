#pragma once
// Which server owns a row: (table, key) -> bucket -> group -> server. The first two steps are fixed for a job and
// computed by everybody alike; the last is the coordinator's table (messages.h Routing). A group is a run of
// neighbouring buckets.
#include <cstdint>
#include "common/base/ids.h"
#include "common/base/random.h"
#include "common/base/result.h"

namespace dyad::wire {

struct Partition {                              // servers.buckets and servers.groups of the configuration
  std::uint32_t buckets = 1024, groups = 32;

  BucketId bucket(TableId table, RowKey key) const {
    const std::uint64_t hash = mix64(static_cast<std::uint64_t>(table), key.value);
    return BucketId{static_cast<std::uint32_t>((hash >> 32) * buckets >> 32)};   // multiply-shift: no division
  }
  GroupId group(BucketId bucket) const { return GroupId{bucket.value / buckets_per_group()}; }
  std::uint32_t buckets_per_group() const { return buckets / groups; }
};

inline Status check(const Partition& partition) {
  if (partition.groups == 0 || partition.buckets == 0 || partition.buckets % partition.groups != 0)
    return fail(
        Code::kInvalid,
        "servers.buckets = {} must be a multiple of servers.groups = {}: choose powers of two, such as 1024 and 32",
        partition.buckets, partition.groups);
  return ok();
}

}  // namespace dyad::wire
