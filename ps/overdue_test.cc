#include "ps/overdue.h"

#include <gtest/gtest.h>

namespace dyad::ps {
namespace {

TEST(Overdue, WorkThatLastsIsSaidAgainAndAgainAndAnotherStepsWorkBeginsAnew) {
  Overdue cut(10);
  EXPECT_FALSE(cut.due(std::nullopt, 0));
  EXPECT_FALSE(cut.due(Step{5}, 100));
  EXPECT_FALSE(cut.due(Step{5}, 109));
  EXPECT_EQ(cut.due(Step{5}, 110), 10.0);
  EXPECT_FALSE(cut.due(Step{5}, 111));
  EXPECT_EQ(cut.due(Step{5}, 121), 21.0);
  EXPECT_FALSE(cut.due(Step{6}, 132));           // the first is done
  EXPECT_FALSE(cut.due(std::nullopt, 150));
  EXPECT_FALSE(cut.due(Step{6}, 151));
}

}  // namespace
}  // namespace dyad::ps
