#include "ps/step_clock.h"

#include <gtest/gtest.h>

namespace dyad::ps {
namespace {

using Verdict = StepClock::Verdict;
PushInfo at(std::uint32_t rank, std::uint64_t step, bool cut = false, std::uint64_t incarnation = 1) {
  return {WorkerRank{rank}, Incarnation{incarnation}, Step{step}, 0.1f, cut, step * 10 + rank};
}
StepClock clock_of(Mode mode, std::uint32_t ranks = 2, std::uint64_t start = 0) {
  return StepClock({.mode = mode, .ranks = ranks, .window = 4, .waiting_max = 3, .start = Step{start}});
}
Code refusal(const Result<Verdict>& r) { return r ? Code{0} : r.error().code; }

TEST(StepClock, SyncAppliesAStepOnceEveryRankHasPushedItInRankOrder) {
  auto clock = clock_of(Mode::kSync);
  EXPECT_EQ(clock.push(at(1, 1)).value(), Verdict::kAccepted);
  EXPECT_FALSE(clock.next());
  EXPECT_EQ(clock.applied(), Step{0});
  EXPECT_EQ(clock.push(at(0, 1)).value(), Verdict::kAccepted);
  const auto apply = clock.next();
  ASSERT_TRUE(apply);
  EXPECT_EQ(apply->step, Step{1});
  EXPECT_EQ(apply->pushes, (std::vector<Token>{10, 11}));
  EXPECT_FALSE(clock.next());
  EXPECT_EQ(clock.applied(), Step{1});
}

TEST(StepClock, SyncHoldsALaterStepUntilTheEarlierOneArrives) {
  auto clock = clock_of(Mode::kSync);
  for (auto p : {at(0, 2), at(1, 2), at(1, 1)}) EXPECT_EQ(clock.push(p).value(), Verdict::kAccepted);
  EXPECT_FALSE(clock.next());
  ASSERT_TRUE(clock.push(at(0, 1)));
  EXPECT_EQ(clock.next()->step, Step{1});
  EXPECT_EQ(clock.next()->step, Step{2});
  EXPECT_FALSE(clock.next());
}

TEST(StepClock, APushThatArrivesTwiceIsADuplicateHeldOrApplied) {
  for (const Mode mode : {Mode::kSync, Mode::kSsp, Mode::kAsync}) {
    auto clock = clock_of(mode);
    ASSERT_TRUE(clock.push(at(0, 1)));
    EXPECT_EQ(clock.push(at(0, 1)).value(), Verdict::kDuplicate);
    ASSERT_TRUE(clock.push(at(1, 1)));
    while (clock.next()) {}
    EXPECT_EQ(clock.push(at(0, 1)).value(), Verdict::kDuplicate);
    EXPECT_FALSE(clock.next());
  }
}

TEST(StepClock, APullWaitsForItsStepFromTheSlowestRank) {
  auto clock = clock_of(Mode::kSsp);
  ASSERT_TRUE(clock.wait(Step{1}, 77));
  EXPECT_TRUE(clock.ready_pulls().empty());
  ASSERT_TRUE(clock.push(at(0, 1)));
  ASSERT_TRUE(clock.push(at(0, 2)));
  while (clock.next()) {}
  EXPECT_TRUE(clock.ready_pulls().empty());
  ASSERT_TRUE(clock.push(at(1, 1)));
  while (clock.next()) {}
  EXPECT_EQ(clock.ready_pulls(), std::vector<Token>{77});
  EXPECT_FALSE(clock.forget(77));
}

TEST(StepClock, SspAppliesEachRanksPushesInItsOwnStepOrder) {
  auto clock = clock_of(Mode::kSsp);
  ASSERT_TRUE(clock.push(at(0, 2)));
  EXPECT_FALSE(clock.next());
  ASSERT_TRUE(clock.push(at(0, 1)));
  EXPECT_EQ(clock.next()->pushes, std::vector<Token>{10});
  EXPECT_EQ(clock.next()->pushes, std::vector<Token>{20});
  EXPECT_EQ(clock.applied(), Step{0});
}

TEST(StepClock, AnOlderIncarnationIsStaleAndANewOneTakesOver) {
  auto clock = clock_of(Mode::kSync);
  ASSERT_TRUE(clock.push(at(0, 1, false, 5)));
  EXPECT_EQ(refusal(clock.push(at(0, 1, false, 4))), Code::kStale);
  EXPECT_EQ(clock.push(at(0, 1, false, 6)).value(), Verdict::kAccepted);   // the held push of 5 is gone with it
  EXPECT_EQ(clock.dropped(), std::vector<Token>{10});
  ASSERT_TRUE(clock.push(at(1, 1)));
  EXPECT_TRUE(clock.next());
  EXPECT_EQ(refusal(clock.push(at(0, 1, false, 7))), Code::kStale);        // resumes before what is applied
  EXPECT_EQ(clock.push(at(0, 1, false, 6)).value(), Verdict::kDuplicate);
}

TEST(StepClock, APushTooFarAheadIsOverloaded) {
  auto clock = clock_of(Mode::kSync);
  EXPECT_EQ(refusal(clock.push(at(0, 5))), Code::kOverloaded);
  EXPECT_EQ(clock.push(at(0, 4)).value(), Verdict::kAccepted);
}

TEST(StepClock, TooManyWaitingPullsAreOverloaded) {
  auto clock = clock_of(Mode::kSync);
  for (Token t : {1, 2, 3}) ASSERT_TRUE(clock.wait(Step{4}, t));
  EXPECT_EQ(clock.wait(Step{4}, 4).error().code, Code::kOverloaded);
  EXPECT_TRUE(clock.forget(2));
  EXPECT_FALSE(clock.forget(2));
  EXPECT_TRUE(clock.wait(Step{4}, 4));
}

TEST(StepClock, APullOfAStepWhereNoRankCanBeIsRefused) {
  auto clock = clock_of(Mode::kSsp, 2, 10);
  EXPECT_EQ(clock.wait(Step{1ull << 63}, 1).error().code, Code::kInvalid);
  EXPECT_EQ(clock.wait(Step{15}, 1).error().code, Code::kInvalid);
  EXPECT_TRUE(clock.wait(Step{14}, 1));
  ASSERT_TRUE(clock.push(at(1, 11)));
  ASSERT_TRUE(clock.next());
  EXPECT_TRUE(clock.wait(Step{15}, 2)) << "of the fastest rank";
}

TEST(StepClock, ACutFreezesAfterItsStepOfEveryRank) {
  for (const Mode mode : {Mode::kSync, Mode::kSsp}) {
    auto clock = clock_of(mode);
    int freezes = 0;
    ASSERT_TRUE(clock.push(at(0, 1, true)));
    while (auto a = clock.next()) freezes += a->freeze;
    EXPECT_EQ(freezes, 0);
    ASSERT_TRUE(clock.push(at(1, 1, true)));
    while (auto a = clock.next()) freezes += a->freeze;
    EXPECT_EQ(freezes, 1);
    ASSERT_TRUE(clock.push(at(0, 2)));
    ASSERT_TRUE(clock.push(at(1, 2)));
    while (auto a = clock.next()) freezes += a->freeze;
    EXPECT_EQ(freezes, 1);
    EXPECT_EQ(clock.applied(), Step{2});
  }
}

TEST(StepClock, AStepPastAnOpenCutIsRefusedInSsp) {
  auto clock = clock_of(Mode::kSsp);
  ASSERT_TRUE(clock.push(at(0, 1, true)));
  ASSERT_TRUE(clock.next());
  EXPECT_EQ(refusal(clock.push(at(0, 2))), Code::kInvalid);
}

TEST(StepClock, AStepHeldBeforeItsCutWasKnownWaitsForTheFreeze) {
  auto clock = clock_of(Mode::kSsp);
  ASSERT_TRUE(clock.push(at(0, 2)));          // out of order on the way
  ASSERT_TRUE(clock.push(at(0, 1, true)));
  EXPECT_EQ(clock.next()->step, Step{1});
  EXPECT_FALSE(clock.next());
  ASSERT_TRUE(clock.push(at(1, 1, true)));
  EXPECT_TRUE(clock.next()->freeze);
  EXPECT_EQ(clock.next()->step, Step{2});
}

TEST(StepClock, RanksThatDisagreeAreRefused) {
  auto clock = clock_of(Mode::kSync);
  ASSERT_TRUE(clock.push(at(0, 1, true)));
  EXPECT_EQ(refusal(clock.push(at(1, 1, false))), Code::kInvalid);
  auto other_rate = at(1, 1, true);
  other_rate.learning_rate = 0.2f;
  EXPECT_EQ(refusal(clock.push(other_rate)), Code::kInvalid);
  other_rate.learning_rate = -1;
  EXPECT_EQ(refusal(clock.push(other_rate)), Code::kInvalid);
  EXPECT_EQ(refusal(clock.push(at(2, 1))), Code::kInvalid);
}

}  // namespace
}  // namespace dyad::ps
