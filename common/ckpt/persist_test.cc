#include "common/ckpt/persist.h"

#include <gtest/gtest.h>

namespace dyad::ckpt {
namespace {

TEST(Persist, TriesAgainUntilItIsWritten) {
  int tries = 0;
  const auto result = persist<int>(
      "cut 5", [&]() -> Result<int> { return ++tries < 3 ? Result<int>(fail(Code::kFailed, "full")) : Result<int>(7); },
      [] { return false; }, {.tries_ms = 60'000, .pause_ms = 1});
  EXPECT_EQ(result.value(), 7);
  EXPECT_EQ(tries, 3);
}

TEST(Persist, EndsWithTheLastErrorWhenItsTimeIsOver) {
  const auto result = persist<int>(
      "cut 5", []() -> Result<int> { return fail(Code::kFailed, "full"); }, [] { return false; },
      {.tries_ms = 20, .pause_ms = 1});
  EXPECT_EQ(result.error().message, "full");
}

TEST(Persist, EndsAtOnceWhenSomethingWaitsForIt) {
  int tries = 0;
  bool next_cut = false;
  const auto result = persist<int>(
      "cut 5", [&]() -> Result<int> { return next_cut = ++tries == 2, fail(Code::kFailed, "full"); },
      [&] { return next_cut; }, {.tries_ms = 60'000, .pause_ms = 1});
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(tries, 2);
}

}  // namespace
}  // namespace dyad::ckpt
