#pragma once
// The k-core of the graph of users and items: what is left when every user and item of fewer than k rows is removed,
// again and again until nothing changes. Repeated rows count each.
#include "tools/import/intake.h"

namespace dyad::importer {

struct KCoreDropped {
  std::uint64_t by_user = 0, by_item = 0, rounds = 0;        // rows dropped because their user (item) had too few
};
// Removes rows in place, keeping the order of those that stay. k <= 1 removes nothing.
KCoreDropped k_core(std::vector<Row>& rows, std::size_t users, std::size_t items, std::uint32_t k);

}  // namespace dyad::importer
