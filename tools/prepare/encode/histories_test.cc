#include "tools/prepare/encode/histories.h"

#include <gtest/gtest.h>
#include <cmath>

namespace dyad::encode {
namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// Item 1 is the nearest to item 0, item 2 is not.
const io::Matrix kRows{4, 2, {1, 0, 0.9f, 0.1f, 0, 1, -1, -1}};

TEST(NeighbourRecall, TakesASampleOfManyUsersTheSameOneEachTime) {
  Pairs pairs;
  for (std::uint32_t u = 0; u < 40'000; ++u) pairs.emplace_back(0, u % 4 == 0 ? 1 : 2);
  const double sampled = neighbour_recall(kRows, pairs, 1, 2);
  EXPECT_EQ(sampled, neighbour_recall(kRows, pairs, 1, 1));
  EXPECT_NEAR(sampled, 0.25, 0.02);                                // standard error .006
  const double hits = sampled * kRecallUsers;
  EXPECT_NEAR(hits, std::round(hits), 1e-6);                       // of kRecallUsers and no more
  EXPECT_NE(sampled, 0.25);                                        // and not every fourth
}

TEST(NeighbourRecall, TakesAllOfFewUsers) {
  Pairs pairs(kRecallUsers, {0, 2});
  pairs.front() = pairs.back() = {0, 1};
  EXPECT_EQ(neighbour_recall(kRows, pairs, 1, 1), 2.0 / kRecallUsers);
}

}  // namespace
}  // namespace dyad::encode
