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
  struct Part {                                  // of one server, in the caller's order
    std::vector<RowKey> keys;
    std::vector<std::uint32_t> positions;        // of keys in the caller's
  };
  TableId table = TableId::kItem;
  std::vector<RowKey> keys;
  std::vector<Part> parts;                       // [servers]
};

class RoutePlanner {
 public:
  RoutePlanner(const wire::Partition& partition, std::vector<std::uint32_t> group_server, std::size_t servers)
      : partition_(partition), group_server_(std::move(group_server)), servers_(servers) {}
  std::shared_ptr<const RoutePlan> plan(TableId table, std::span<const RowKey> keys);

 private:
  static constexpr std::size_t kRemembered = 12;   // three tables, a few steps in flight
  wire::Partition partition_;
  std::vector<std::uint32_t> group_server_;
  std::size_t servers_;
  std::deque<std::shared_ptr<const RoutePlan>> recent_;
};

}  // namespace dyad::worker
