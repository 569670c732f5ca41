#include "tools/prepare/import/k_core.h"

#include <algorithm>

namespace dyad::importer {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;        // the end that is counted, the other end

// Drops rows whose `end` (user or item) has fewer than k of them, or of distinct `other` ends; the number dropped.
std::uint64_t drop_rare(std::vector<Row>& rows, std::uint32_t Row::*end, std::uint32_t Row::*other, std::size_t ends,
                        const KCoreOptions& options) {
  std::vector<std::uint32_t> count(ends, 0);
  if (options.pairs) {
    std::vector<Pair> pairs;
    for (const Row& row : rows) pairs.emplace_back(row.*end, row.*other);
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    for (const Pair& pair : pairs) ++count[pair.first];
  } else {
    for (const Row& row : rows) ++count[row.*end];
  }
  return std::erase_if(rows, [&](const Row& row) { return count[row.*end] < options.k; });
}

}  // namespace

KCoreDropped k_core(std::vector<Row>& rows, const KCoreOptions& options) {
  KCoreDropped dropped;
  for (bool changed = options.k > 1; changed; ++dropped.rounds) {
    const std::uint64_t by_user = drop_rare(rows, &Row::user, &Row::item, options.users, options),
                        by_item = drop_rare(rows, &Row::item, &Row::user, options.items, options);
    dropped.by_user += by_user;
    dropped.by_item += by_item;
    changed = by_item != 0;                                  // users were whole before the items went
  }
  return dropped;
}

}  // namespace dyad::importer
