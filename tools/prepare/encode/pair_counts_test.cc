#include "tools/prepare/encode/pair_counts.h"

#include <gtest/gtest.h>
#include <algorithm>
#include "common/base/random.h"

namespace dyad::encode {
namespace {

// Histories of 0 to 19 items; a few items are in most of them, and some items in none.
Histories random_histories(std::size_t users, std::uint32_t items) {
  Histories out{.items = items};
  for (std::size_t u = 0; u < users; ++u) {
    KeyedRandom random(3, u);
    auto& train = out.train.emplace_back(random.below(20));
    for (auto& item : train)
      item = static_cast<std::uint32_t>(random.uniform() < 0.3 ? 5 + random.below(3) : random.below(items - 2));
  }
  return out;
}

// All pairs at once, sorted: what count_pairs must equal to the bit.
PairCounts count_by_sorting(const Histories& histories, std::size_t window) {
  std::vector<std::pair<std::uint64_t, float>> pairs;
  for (const auto& items : histories.train)
    for (std::size_t i = 0; i < items.size(); ++i)
      for (std::size_t j = i - std::min(i, window); j < i; ++j) {
        const std::uint64_t a = items[i], b = items[j];
        pairs.emplace_back(a << 32 | b, 1.0f / static_cast<float>(i - j));
        pairs.emplace_back(b << 32 | a, 1.0f / static_cast<float>(i - j));
      }
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  PairCounts out;
  out.begin.assign(histories.items + 1, 0);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0 && pairs[i].first == pairs[i - 1].first) {
      out.value.back() += pairs[i].second;
      continue;
    }
    ++out.begin[(pairs[i].first >> 32) + 1];
    out.column.push_back(static_cast<std::uint32_t>(pairs[i].first));
    out.value.push_back(pairs[i].second);
  }
  for (std::size_t r = 0; r < histories.items; ++r) out.begin[r + 1] += out.begin[r];
  return out;
}

TEST(PairCounts, AreThoseOfSortingToTheBitWhateverTheBuffer) {
  const Histories histories = random_histories(2000, 60);
  for (const std::size_t window : {1, 5, 30}) {
    const PairCounts want = count_by_sorting(histories, window);
    for (const std::size_t buffer : {std::size_t{0}, std::size_t{1}, std::size_t{700}, std::size_t{20'000},
                                     PairCountOptions{}.buffer_pairs}) {
      const PairCounts got = count_pairs(histories, {.window = window, .buffer_pairs = buffer});
      EXPECT_EQ(got.begin, want.begin) << window << " " << buffer;
      EXPECT_EQ(got.column, want.column) << window << " " << buffer;
      EXPECT_EQ(got.value, want.value) << window << " " << buffer;
    }
  }
}

TEST(PairCounts, AnItemBesideItselfCountsTwice) {
  const PairCounts counts = count_pairs({.items = 3, .train = {{1, 2, 1}}, .next = {}}, {.window = 2});
  EXPECT_EQ(counts.begin, (std::vector<std::size_t>{0, 0, 2, 3}));
  EXPECT_EQ(counts.column, (std::vector<std::uint32_t>{1, 2, 1}));
  EXPECT_EQ(counts.value, (std::vector<float>{1, 2, 2}));
}

}  // namespace
}  // namespace dyad::encode
