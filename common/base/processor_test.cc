#include "common/base/processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyad {
namespace {

TEST(Processor, AutoIsTheBestAndEachLesserOneCanBeChosen) {
  EXPECT_EQ(choose_kernels("auto").value(), best_kernels());
  for (int i = 0; i <= static_cast<int>(best_kernels()); ++i) {
    const auto kernels = static_cast<Kernels>(i);
    EXPECT_EQ(choose_kernels(kernels_name(kernels)).value(), kernels);
  }
}

TEST(Processor, WhatItLacksIsRefusedWithWhatItHas) {
  const auto chosen = choose_kernels("avx1024");
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().code, Code::kInvalid);
  EXPECT_THAT(chosen.error().message, testing::HasSubstr(kernels_name(best_kernels())));
}

}  // namespace
}  // namespace dyad
