#include "common/base/initial_row.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>
#include <gtest/gtest.h>
#include "common/base/digest.h"

namespace dyad {
namespace {

std::vector<float> row(std::uint64_t seed, std::uint64_t table, std::uint64_t key, std::size_t dim, float std = 1) {
  std::vector<float> out(dim);
  initial_row(seed, table, key, std, out);
  return out;
}

// 16,384 rows of 64, keys as tables have them: neighbours.
const std::vector<float>& sample() {
  static const std::vector<float> values = [] {
    std::vector<float> all(16384 * 64);
    for (std::size_t k = 0; k < 16384; ++k) initial_row(1, 2, k, 1, {all.data() + 64 * k, 64});
    return all;
  }();
  return values;
}

double correlation(std::size_t apart) {          // of values so far apart in sample()
  const auto& x = sample();
  double sum = 0;
  for (std::size_t i = 0; i + apart < x.size(); ++i) sum += static_cast<double>(x[i]) * x[i + apart];
  return sum / static_cast<double>(x.size() - apart);
}

TEST(InitialRow, HasTheseBitsEverywhere) {
  const auto a = row(1, 0, 5, 4), b = row(0xfedcba9876543210ull, 2, ~0ull, 128, 0.02f);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(a[0]), 0xbebf12e9u);
  EXPECT_EQ(a, (std::vector<float>{-0x1.7e25d2p-2f, -0x1.8bd97cp-2f, -0x1.e3ef7ep-1f, -0x1.a05bccp-1f}));
  EXPECT_EQ(hex64(digest64(std::as_bytes(std::span(b)))), "abcf8eb25e471dda");
}

TEST(InitialRow, DependsOnSeedTableAndKeyAndScalesWithTheDeviation) {
  const auto a = row(1, 0, 5, 8);
  EXPECT_EQ(a, row(1, 0, 5, 8));
  EXPECT_NE(a, row(2, 0, 5, 8));
  EXPECT_NE(a, row(1, 1, 5, 8));
  EXPECT_NE(a, row(1, 0, 6, 8));
  const auto half = row(1, 0, 5, 8, 0.5f);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(half[i], 0.5f * a[i]);
  EXPECT_EQ(row(1, 0, 5, 3, 0), std::vector<float>(3, 0));
}

TEST(InitialRow, AShortRowIsTheBeginningOfALongOne) {
  const auto whole = row(1, 0, 5, 200);
  for (const std::size_t dim : {1u, 15u, 16u, 17u, 31u, 33u, 100u}) {
    const auto part = row(1, 0, 5, dim);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin())) << dim;
  }
}

TEST(InitialRow, HasTheMomentsOfANormalDistribution) {
  double first = 0, second = 0, third = 0, fourth = 0, most = 0;
  for (const double x : sample()) {
    first += x, second += x * x, third += x * x * x, fourth += x * x * x * x;
    most = std::max(most, std::abs(x));
  }
  const double n = static_cast<double>(sample().size());   // a million: six of its errors are 0.006, 0.008, 0.015, 0.06
  EXPECT_NEAR(first / n, 0, 0.006);
  EXPECT_NEAR(second / n, 1, 0.0085);
  EXPECT_NEAR(third / n, 0, 0.023);
  EXPECT_NEAR(fourth / n, 2.94, 0.06);
  EXPECT_GT(most, 4.2);
  EXPECT_LT(most, 6);
}

TEST(InitialRow, FollowsTheNormalDistributionFunction) {
  std::vector<float> sorted = sample();
  std::sort(sorted.begin(), sorted.end());
  double worst = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double normal = 0.5 * std::erfc(-sorted[i] / std::sqrt(2.0));
    worst = std::max(worst, std::abs(normal - static_cast<double>(i) / static_cast<double>(sorted.size())));
  }
  EXPECT_LT(worst, 0.0014 + 0.0019);             // its own, and that of a sample of a million in 99.9 of 100 cases
}

TEST(InitialRow, ValuesOfARowAndOfNeighbouringRowsAreNotCorrelated) {
  for (const std::size_t apart : {1u, 2u, 4u, 8u, 16u, 32u, 64u, 128u, 4096u})
    EXPECT_LT(std::abs(correlation(apart)), 0.005) << apart;
}

TEST(InitialRow, EveryPlaceOfARowHasItsOwnNormal) {
  for (std::size_t place = 0; place < 64; ++place) {
    double sum = 0, square = 0;
    for (std::size_t k = 0; k < 16384; ++k) {
      const double x = sample()[64 * k + place];
      sum += x, square += x * x;
    }
    EXPECT_NEAR(sum / 16384, 0, 0.04) << place;
    EXPECT_NEAR(square / 16384, 1, 0.055) << place;
  }
}

TEST(InitialRow, NoTwoRowsOfManyAreAlike) {
  std::vector<std::array<float, 2>> seen;
  for (std::uint64_t k = 0; k < 200000; ++k) {
    seen.emplace_back();
    initial_row(1, 0, k << 20, 1, seen.back());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_LT(seen.end() - std::unique(seen.begin(), seen.end()), 5);   // pairs have about 2^36 values
}

}  // namespace
}  // namespace dyad
