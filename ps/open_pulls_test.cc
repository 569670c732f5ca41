#include "ps/open_pulls.h"

#include <gtest/gtest.h>

namespace dyad::ps {
namespace {

PullName name(std::uint64_t number, std::uint64_t incarnation = 1, std::uint32_t rank = 0) {
  return {WorkerRank{rank}, Incarnation{incarnation}, number};
}
OpenPulls pulls() { return OpenPulls({.ranks = 2, .of_peer = 3, .expire_s = 10}); }
Code refusal(const Result<std::optional<Token>>& r) { return r ? Code{0} : r.error().code; }

TEST(OpenPulls, APullThatIsAskedAgainIsTheOneThatIsOpen) {
  auto open = pulls();
  EXPECT_EQ(open.ask(name(7), 1, 0).value(), std::nullopt);
  EXPECT_EQ(open.ask(name(7), 2, 1).value(), std::optional<Token>(1));
  EXPECT_EQ(open.ask(name(7, 1, 1), 3, 1).value(), std::nullopt) << "of another rank";
  open.close(1);
  EXPECT_EQ(open.ask(name(7), 4, 2).value(), std::nullopt) << "its answer was lost";
}

TEST(OpenPulls, OnePeerWithTooManyIsOverloadedAndOthersAreNot) {
  auto open = pulls();
  for (Token t = 1; t <= 3; ++t) ASSERT_TRUE(open.ask(name(t), t, 0));
  EXPECT_EQ(refusal(open.ask(name(4), 4, 0)), Code::kOverloaded);
  EXPECT_TRUE(open.ask(name(2), 5, 0)) << "known ones may be asked again";
  EXPECT_TRUE(open.ask(name(1, 1, 1), 6, 0));
  open.close(2);
  EXPECT_TRUE(open.ask(name(4), 7, 0));
}

TEST(OpenPulls, ANewIncarnationEndsThePullsOfTheFormerWhichIsStale) {
  auto open = pulls();
  for (Token t = 1; t <= 3; ++t) ASSERT_TRUE(open.ask(name(t, 5), t, 0));
  EXPECT_EQ(open.ask(name(1, 6), 4, 0).value(), std::nullopt);
  EXPECT_EQ(refusal(open.ask(name(9, 5), 5, 0)), Code::kStale);
  EXPECT_EQ(open.expire(0), (std::vector<Token>{1, 2, 3}));
  EXPECT_EQ(open.size(), 1u);
}

TEST(OpenPulls, APullThatNobodyAsksForAgainExpires) {
  auto open = pulls();
  ASSERT_TRUE(open.ask(name(1), 1, 0));
  ASSERT_TRUE(open.ask(name(2), 2, 0));
  ASSERT_TRUE(open.ask(name(2), 3, 8));
  EXPECT_TRUE(open.expire(10).empty());
  EXPECT_EQ(open.expire(11), std::vector<Token>{1});
  EXPECT_EQ(open.expire(19), std::vector<Token>{2});
  EXPECT_TRUE(open.expire(100).empty());
}

TEST(OpenPulls, ARankThatTheJobDoesNotHaveIsRefused) {
  auto open = pulls();
  EXPECT_EQ(refusal(open.ask(name(1, 1, 2), 1, 0)), Code::kInvalid);
}

}  // namespace
}  // namespace dyad::ps
