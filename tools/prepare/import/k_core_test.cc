#include "tools/prepare/import/k_core.h"

#include <gtest/gtest.h>
#include <map>
#include "common/base/random.h"

namespace dyad::importer {
namespace {

TEST(KCore, ReachesTheFixedPointAndRemovesNoMore) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    KeyedRandom random(seed);
    std::vector<Row> rows;
    for (int i = 0; i < 600; ++i)
      rows.push_back({static_cast<std::uint32_t>(random.below(80)),
                      static_cast<std::uint32_t>(random.below(1 + random.below(120))), i});
    // The plainest algorithm: remove one rare end at a time until there is none. The k-core does not depend on the
    // order.
    std::vector<Row> plain = rows;
    const std::uint32_t k = 6;
    for (bool found = true; found;) {
      std::map<std::uint32_t, std::uint32_t> users, items;
      for (const Row& row : plain) { ++users[row.user]; ++items[row.item]; }
      found = false;
      for (const auto& [item, count] : items)
        if (!found && count < k) {
          std::erase_if(plain, [&](const Row& row) { return row.item == item; });
          found = true;
        }
      for (const auto& [user, count] : users)
        if (!found && count < k) {
          std::erase_if(plain, [&](const Row& row) { return row.user == user; });
          found = true;
        }
    }
    const std::size_t before = rows.size();
    const KCoreDropped dropped = k_core(rows, {80, 120, k});
    EXPECT_EQ(before - rows.size(), dropped.by_user + dropped.by_item);
    ASSERT_EQ(rows.size(), plain.size());
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].sort_s, plain[i].sort_s);
  }
}

TEST(KCore, OfOneOrZeroRemovesNothing) {
  std::vector<Row> rows{{0, 0}, {1, 1}};
  EXPECT_EQ(k_core(rows, {2, 2, 1}).by_user, 0u);
  EXPECT_EQ(rows.size(), 2u);
}

TEST(KCore, OfPairsCountsWhatIsRepeatedOnce) {
  std::vector<Row> rows{{0, 0}, {0, 0}, {1, 0}, {1, 1}, {2, 0}, {2, 1}};
  std::vector<Row> by_rows = rows;
  k_core(by_rows, {3, 2, 2});
  EXPECT_EQ(by_rows.size(), 6u);
  const KCoreDropped dropped = k_core(rows, {3, 2, 2, true});
  EXPECT_EQ(dropped.by_user, 2u);                            // user 0 has one item, twice
  EXPECT_EQ(rows.size(), 4u);
}

}  // namespace
}  // namespace dyad::importer
