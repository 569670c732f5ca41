#include "ops/launch/restarts.h"

#include <gtest/gtest.h>

namespace dyad::ops {
namespace {

TEST(Restarts, ComeAtOnceThenWithAGrowingPauseAndEnd) {
  Restarts restarts(5);
  for (const Millis pause : {0, 1000, 2000, 4000, 8000}) EXPECT_EQ(restarts.next(10), pause);
  EXPECT_EQ(restarts.next(10), std::nullopt);
  EXPECT_EQ(restarts.count(), 5u);
}

TEST(Restarts, AreForgivenByANewCheckpointAndOnlyByThat) {
  Restarts restarts(2);
  EXPECT_EQ(restarts.next(0), 0u);
  EXPECT_EQ(restarts.next(0), 1000u);
  EXPECT_EQ(restarts.next(5), 0u);
  EXPECT_EQ(restarts.count(), 1u);
  EXPECT_EQ(restarts.next(4), 1000u);          // its newest was damaged and passed over
  EXPECT_EQ(restarts.next(5), std::nullopt) << "been there";
}

TEST(Restarts, NoneAreAllowedAndThePauseIsBounded) {
  EXPECT_EQ(Restarts(0).next(0), std::nullopt);
  Restarts many(1000);
  for (int i = 0; i < 99; ++i) many.next(0);
  EXPECT_EQ(many.next(0), 60'000u);
}

}  // namespace
}  // namespace dyad::ops
