#include "common/data/epoch_plan.h"

#include <gtest/gtest.h>
#include <algorithm>
#include "common/base/random.h"

namespace dyad::data {
namespace {

std::vector<Sample> make_samples(std::size_t n) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < n; ++i)
    samples.push_back({UserId{static_cast<std::uint32_t>(i / 7)}, static_cast<std::uint32_t>(1 + mix64(i) % 30),
                       {PartitionId{static_cast<std::uint32_t>(i % 3)}, static_cast<std::uint32_t>(i / 3)}});
  return samples;
}

TEST(EpochPlan, EachSampleComesExactlyOnceAnEpochOverAnyNumberOfRanks) {
  const std::vector<Sample> samples = make_samples(10'007);
  std::uint64_t want = 0;
  for (const Sample& sample : samples) want += sample_checksum(sample.position);
  for (const std::size_t ranks : {1u, 2u, 3u, 7u})
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      const EpochPlan plan(samples, {.seed = 5, .epoch = epoch, .global_batch = 512});
      std::vector<int> seen(samples.size());
      std::uint64_t sum = 0;
      for (std::size_t b = 0; b < plan.batches(); ++b)
        for (std::uint32_t r = 0; r < ranks; ++r)
          for (const std::uint32_t i : plan.part(b, WorkerRank{r}, ranks)) {
            ++seen[i];
            sum += sample_checksum(samples[i].position);
          }
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(samples.size()));
      EXPECT_EQ(sum, want);
    }
}

TEST(EpochPlan, PartsOfARankAreEveryRthSampleOfTheBatch) {
  const std::vector<Sample> samples = make_samples(100);
  const EpochPlan plan(samples, {.global_batch = 10});
  const auto batch = plan.batch(3);
  const auto part = plan.part(3, WorkerRank{1}, 4);
  for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], batch[1 + 4 * i]);
}

TEST(EpochPlan, BatchesAreOfLikeLengthNearlyFullAndAsManyEachEpoch) {
  const std::vector<Sample> samples = make_samples(20'000);
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
    const EpochPlan plan(samples, {.seed = 9, .epoch = epoch, .global_batch = 300});
    EXPECT_EQ(plan.batches(), 67u);
    std::size_t spread = 0;
    for (std::size_t b = 0; b < plan.batches(); ++b) {
      std::size_t shortest = 99, longest = 0;
      for (const std::uint32_t i : plan.batch(b)) {
        const std::size_t length = std::min<std::size_t>(samples[i].target, 20);
        shortest = std::min(shortest, length);
        longest = std::max(longest, length);
      }
      EXPECT_GE(plan.batch(b).size(), 298u);
      EXPECT_LE(plan.batch(b).size(), 299u);
      spread = std::max(spread, longest - shortest);
    }
    EXPECT_LE(spread, 3u);
  }
}

TEST(EpochPlan, SeedAndEpochDecideTheOrderAndNothingElseDoes) {
  const std::vector<Sample> samples = make_samples(5'000);
  const auto order = [&](std::uint64_t seed, std::uint64_t epoch) {
    const EpochPlan plan(samples, {.seed = seed, .epoch = epoch, .global_batch = 64, .length_jitter = 0});
    std::vector<std::uint32_t> all;
    for (std::size_t b = 0; b < plan.batches(); ++b) all.insert(all.end(), plan.batch(b).begin(), plan.batch(b).end());
    return all;
  };
  EXPECT_EQ(order(1, 0), order(1, 0));
  EXPECT_NE(order(1, 0), order(1, 1));
  EXPECT_NE(order(1, 0), order(2, 0));
}

TEST(EpochPlan, FewerSamplesThanABatchOrNoneAtAll) {
  EXPECT_EQ(EpochPlan(make_samples(3), {}).batches(), 1u);
  EXPECT_TRUE(EpochPlan(make_samples(3), {}).part(0, WorkerRank{3}, 4).empty());
  EXPECT_EQ(EpochPlan({}, {}).batches(), 0u);
}

}  // namespace
}  // namespace dyad::data
