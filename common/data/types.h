#pragma once
// The interaction log as training sees it: users' histories in time order, and samples cut from them.
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include "common/base/ids.h"

namespace dyad::data {

struct Event {
  UserId user;
  ItemId item;
  std::int64_t time_s = -1;        // seconds since 1970; -1 where unknown
};

// A place in a dataset's log: the `offset`-th event of a partition, counted from 0. (A log itself has 64-bit offsets;
// Dataset::open refuses longer partitions than fit here, because every sample carries a position.)
struct Position {
  PartitionId partition;
  std::uint32_t offset = 0;
  auto operator<=>(const Position&) const = default;
};

// One training sample: predict items[target] of `user` from the at most `history_max` items before it.
struct Sample {
  UserId user;
  std::uint32_t target = 0;        // index into the user's sequence, at least 1
  Position position;               // of the target's event: names the sample for leases and audits
};

struct Item {
  std::string key;                 // the outside id
  std::string title, brand;        // empty where unknown
  std::vector<std::vector<std::string>> categories;   // paths, broad to narrow
};

}  // namespace dyad::data
