#pragma once
// The k-core of the graph of users and items: what is left when every user and item of fewer than k rows is removed,
// again and again until nothing changes. Repeated rows count each, unless only distinct pairs are to.
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

struct KCoreOptions {
  std::size_t users = 0, items = 0;                          // numbers of rows are below these
  std::uint32_t k = 0;                                       // 0 and 1 remove nothing
  bool pairs = false;                                        // count a user's distinct items, an item's distinct users
};
struct KCoreDropped {
  std::uint64_t by_user = 0, by_item = 0, rounds = 0;        // rows dropped because their user (item) had too few
};
// Removes rows in place, keeping the order of those that stay.
KCoreDropped k_core(std::vector<Row>& rows, const KCoreOptions& options);

}  // namespace dyad::importer
