#pragma once
// Where the rows of one key set live: for each server its keys and their places in the caller's order. Computed once
// per key set: the keys that are pulled are the keys that are pushed. Threads: one owner; a plan is immutable.
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>
#include "common/wire/messages.h"
#include "common/wire/routing.h"

namespace dyad::worker {

struct RoutePlan {
  struct Part {                                  // of one server
    std::span<const RowKey> keys;                // of the plan; ascending
    std::span<const std::uint32_t> positions;    // of keys in the caller's; empty: all of them, one by one
  };
  TableId table{};
  std::vector<RowKey> keys;                      // the caller's
  std::vector<Part> parts;                       // [servers]
  std::vector<RowKey> by_server;                 // what parts point into; empty if one server has them as they stand
  std::vector<std::uint32_t> positions;
};

class RoutePlanner {
 public:
  RoutePlanner(const wire::Partition& partition, const std::vector<std::uint32_t>& group_server, std::size_t servers);
  // `by_key`: the indices of `keys` as those ascend; empty if they stand so.
  std::shared_ptr<const RoutePlan> plan(TableId table, std::span<const RowKey> keys,
                                        std::span<const std::uint32_t> by_key);

 private:
  static constexpr std::size_t kRemembered = 12;   // three tables, a few steps in flight
  void split(RoutePlan& plan, std::span<const std::uint32_t> by_key);
  wire::Partition partition_;
  std::vector<std::uint32_t> bucket_server_;
  std::size_t servers_;
  std::vector<std::uint32_t> servers_of_;        // scratch: [keys]
  std::deque<std::shared_ptr<const RoutePlan>> recent_;
};

}  // namespace dyad::worker
