#include "tools/import/k_core.h"

namespace dyad::importer {
namespace {

// Drops rows whose `end` (user or item) has fewer than k of them; the number dropped.
std::uint64_t drop_rare(std::vector<Row>& rows, std::size_t ends, std::uint32_t Row::*end, std::uint32_t k) {
  std::vector<std::uint32_t> count(ends, 0);
  for (const Row& row : rows) ++count[row.*end];
  return std::erase_if(rows, [&](const Row& row) { return count[row.*end] < k; });
}

}  // namespace

KCoreDropped k_core(std::vector<Row>& rows, std::size_t users, std::size_t items, std::uint32_t k) {
  KCoreDropped dropped;
  for (bool changed = k > 1; changed; ++dropped.rounds) {
    const std::uint64_t by_user = drop_rare(rows, users, &Row::user, k),
                        by_item = drop_rare(rows, items, &Row::item, k);
    dropped.by_user += by_user;
    dropped.by_item += by_item;
    changed = by_item != 0;                                  // users were whole before the items went
  }
  return dropped;
}

}  // namespace dyad::importer
