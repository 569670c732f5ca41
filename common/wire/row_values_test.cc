#include "common/wire/row_values.h"

#include <cmath>
#include <limits>
#include <vector>
#include <gtest/gtest.h>

namespace dyad::wire {
namespace {

std::vector<float> round_trip(const std::vector<float>& in, ValueType type, float scale) {
  std::vector<std::byte> wire(in.size() * 4 + 1);
  std::vector<float> out(in.size());
  to_wire(in.data(), in.size(), type, scale, wire.data() + 1);   // an odd address on purpose
  from_wire(wire.data() + 1, in.size(), type, 1 / scale, out.data());
  return out;
}

TEST(Half, RowsKeepElevenBitsAtAnyLength) {
  for (std::size_t n : {1u, 7u, 8u, 9u, 128u, 131u}) {
    std::vector<float> in(n);
    for (std::size_t i = 0; i < n; ++i) in[i] = 0.02f * std::sin(static_cast<float>(i) + 1);
    const auto out = round_trip(in, ValueType::kFp16, 1);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(out[i], in[i], std::abs(in[i]) / 2048 + 6e-8) << i << " of " << n;
    EXPECT_EQ(round_trip(in, ValueType::kFp32, 1), in);
  }
}

TEST(Half, SmallGradientsSurviveByTheirScale) {
  const std::vector<float> in{1e-6f, -3e-7f, 5e-5f, 2e-6f, 7e-7f, 1e-6f, 1e-6f, 1e-6f, 9e-7f};
  const auto out = round_trip(in, ValueType::kFp16, kGradientScale);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_NEAR(out[i] / in[i], 1.0f, 1e-3) << i;
}

TEST(Half, NoRowsNeedNoBytes) {   // the undefined-behaviour sanitizer forbids even an empty memcpy of null
  for (const ValueType type : {ValueType::kFp32, ValueType::kFp16}) {
    to_wire(nullptr, 0, type, 1, nullptr);
    from_wire(nullptr, 0, type, 1, nullptr);
    add_from_wire(nullptr, 0, type, 1, nullptr);
  }
}

TEST(Half, TooLargeSaturatesAndNanStays) {
  std::vector<float> in(9, 1e9f);
  in[3] = in[8] = -1e9f;
  in[4] = std::numeric_limits<float>::quiet_NaN();
  const auto out = round_trip(in, ValueType::kFp16, 1);
  EXPECT_EQ(out[0], 65504.0f);
  EXPECT_EQ(out[3], -65504.0f);
  EXPECT_EQ(out[8], -65504.0f);
  EXPECT_TRUE(std::isnan(out[4]));
}

}  // namespace
}  // namespace dyad::wire
