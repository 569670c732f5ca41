#include "ps/row_table.h"

#include <map>
#include <gtest/gtest.h>
#include "common/base/initial_row.h"
#include "common/base/random.h"

namespace dyad::ps {
namespace {

constexpr std::uint32_t kDim = 6;

struct Fixture {
  std::unique_ptr<RowOptimizer> sgd = std::move(make_optimizer({.name = "sgd"})).value();
  std::atomic<std::uint64_t> memory{0};
  RowTable table{{TableId{0}, kDim, 3, 0.1f, 0, &memory}, *sgd};
  std::vector<RowKey> keys;
  std::vector<float> gradient;

  explicit Fixture(std::uint64_t rows = 3000) {
    for (std::uint64_t k = 0; k < rows; ++k) keys.push_back(RowKey{k * 1000003});
    gradient.assign(keys.size() * kDim, 1.0f);
  }
  GradientRows push(std::span<const std::uint32_t> positions = {}) const {
    return {keys, std::as_bytes(std::span(gradient)), wire::ValueType::kFp32, positions};
  }
  void apply() {
    const GradientRows rows = push();
    table.apply(0.5f, {&rows, 1});
  }
  std::vector<float> gather() const {
    std::vector<float> out(keys.size() * kDim);
    table.gather(keys, {}, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(out.data()));
    return out;
  }
  std::vector<float> initial() const {
    std::vector<float> out(keys.size() * kDim);
    for (std::size_t i = 0; i < keys.size(); ++i)
      initial_row(3, 0, keys[i].value, 0.1f, {out.data() + i * kDim, kDim});
    return out;
  }
};

TEST(RowTable, AnUnknownKeyGetsItsInitialRowAndIsNotInserted) {
  const Fixture f;
  EXPECT_EQ(f.gather(), f.initial());
  EXPECT_EQ(f.table.rows(), 0u);
}

TEST(RowTable, RowsAreInsertedByTheirFirstGradientAndFoundAgainAfterGrowth) {
  Fixture f;
  f.apply();
  EXPECT_EQ(f.table.rows(), 3000u);
  auto want = f.initial();
  for (float& w : want) w -= 0.5f;
  EXPECT_EQ(f.gather(), want);
  f.apply();
  EXPECT_EQ(f.table.rows(), 3000u);
}

TEST(RowTable, GradientsOfOneRowAreAddedInTheOrderOfThePushesAndUpdateItOnce) {
  Fixture f(10);
  std::vector<float> big(f.gradient.size(), 1e8f), small(f.gradient.size(), 1.0f), minus(f.gradient.size(), -1e8f);
  const auto rows = [&](const std::vector<float>& g) {
    return GradientRows{f.keys, std::as_bytes(std::span(g)), wire::ValueType::kFp32, {}};
  };
  const std::vector<GradientRows> pushes{rows(big), rows(small), rows(minus)};   // (1e8 + 1) - 1e8 is 0 in fp32
  f.table.apply(1.0f, pushes);
  EXPECT_EQ(f.gather(), f.initial());
  const std::vector<GradientRows> other{rows(big), rows(minus), rows(small)};    // (1e8 - 1e8) + 1 is 1
  f.table.apply(1.0f, other);
  auto want = f.initial();
  for (float& w : want) w -= 1.0f;
  EXPECT_EQ(f.gather(), want);
  EXPECT_EQ(f.table.freeze().slabs[0]->counts.at(0), 2u);
}

// What a map of sums does, for pushes that share some rows, have some of their own, and are owned in part.
TEST(RowTable, ManyPushesAreMergedByKey) {
  Fixture f(0);
  std::map<std::uint64_t, float> want;
  std::vector<std::vector<RowKey>> keys(5);
  std::vector<std::vector<float>> values(5);
  std::vector<std::vector<std::uint32_t>> positions(5);
  std::vector<GradientRows> pushes;
  for (std::uint64_t p = 0; p < 5; ++p) {
    for (std::uint64_t k = 0; k < 400; ++k)
      if (mix64(p, k) % 3 != 0) keys[p].push_back(RowKey{k << 31});
    for (std::uint32_t i = 0; i < keys[p].size(); ++i) {
      const auto value = static_cast<float>(mix64(p, i) % 1000);
      values[p].insert(values[p].end(), kDim, value);
      if (p == 4 && i % 2 == 0) continue;
      positions[p].push_back(i);
      want[keys[p][i].value] += value;
    }
    pushes.push_back({keys[p], std::as_bytes(std::span(values[p])), wire::ValueType::kFp32,
                      p == 4 ? std::span<const std::uint32_t>(positions[p]) : std::span<const std::uint32_t>{}});
  }
  EXPECT_EQ(f.table.apply(1.0f, pushes), want.size());
  EXPECT_EQ(f.table.rows(), want.size());
  for (const auto& [key, sum] : want) f.keys.push_back(RowKey{key});
  auto rows = f.initial();
  std::size_t i = 0;
  for (const auto& [key, sum] : want) for (std::uint32_t d = 0; d < kDim; ++d) rows[i++] -= sum;
  EXPECT_EQ(f.gather(), rows);
}

TEST(RowTable, PositionsChooseRowsOfAFrame) {
  Fixture f(10);
  const std::vector<std::uint32_t> positions{1, 7};
  const GradientRows part = f.push(positions);
  EXPECT_EQ(f.table.apply(0.5f, {&part, 1}), 2u);
  auto want = f.initial();
  for (const std::uint32_t p : positions) for (std::uint32_t d = 0; d < kDim; ++d) want[p * kDim + d] -= 0.5f;
  EXPECT_EQ(f.gather(), want);
}

TEST(RowTable, ASnapshotDoesNotSeeLaterSteps) {
  Fixture f;
  f.apply();
  const auto at_one = f.gather();
  const TableSnapshot snapshot = f.table.freeze();
  f.keys.push_back(RowKey{77});                  // a row in the slab that is frozen half full
  f.gradient.resize(f.keys.size() * kDim, 1.0f);
  f.apply();
  EXPECT_EQ(snapshot.rows, 3000u);
  EXPECT_EQ(snapshot.slabs[2]->data[0], at_one[2048 * kDim]);
  EXPECT_EQ(f.table.rows(), 3001u);
}

TEST(RowTable, ASnapshotCostsACopyOfWhatIsWrittenWhileItLivesAndNothingAfterwards) {
  Fixture f;
  f.apply();
  const std::uint64_t before = f.memory;
  EXPECT_EQ(before, f.table.bytes());
  {
    const TableSnapshot snapshot = f.table.freeze();
    EXPECT_EQ(f.memory, before);
    f.apply();                                   // all three slabs
    EXPECT_EQ(f.table.bytes(), before);
    EXPECT_EQ(f.memory - before, 3 * (sizeof(Slab) + Slab::kRows * (6 + kDim * sizeof(float))));
    f.apply();
    EXPECT_EQ(f.memory - before, 3 * (sizeof(Slab) + Slab::kRows * (6 + kDim * sizeof(float)))) << "copied once";
  }
  EXPECT_EQ(f.memory, before);
  const float* first = f.table.freeze().slabs[0]->data.get();   // its snapshot ends at once
  f.apply();
  EXPECT_EQ(f.table.freeze().slabs[0]->data.get(), first) << "nobody held it: written in place";
}

TEST(RowTable, ASlabOfTwoSnapshotsIsKeptForTheSecond) {
  Fixture f;
  f.apply();
  auto first = std::make_unique<TableSnapshot>(f.table.freeze());
  const TableSnapshot second = f.table.freeze();
  const float value = second.slabs[0]->data[0];
  first.reset();
  f.apply();
  EXPECT_EQ(second.slabs[0]->data[0], value);
}

TEST(RowTable, LoadedRowsKeepStateAndCountAndAreFoundAmongThousands) {
  const auto adagrad = std::move(make_optimizer({.name = "adagrad"})).value();
  RowTable table({TableId{0}, 2, 3, 0.1f, 0}, *adagrad);
  std::vector<RowKey> keys;
  std::vector<std::uint32_t> counts;
  std::vector<float> data;
  for (std::uint32_t k = 0; k < 5000; ++k) {
    keys.push_back(RowKey{k * 77});
    counts.push_back(k + 1);
    for (const int part : {0, 1, 2, 3}) data.push_back(static_cast<float>(k * 4 + part));
  }
  table.reserve(100);
  const std::span all(keys);
  table.load(all.first(3), std::span(counts).first(3), std::span(data).first(12));
  table.load(all.subspan(3), std::span(counts).subspan(3), std::span(data).subspan(12));
  EXPECT_EQ(table.rows(), 5000u);
  const TableSnapshot snapshot = table.freeze();
  for (const std::uint32_t k : {0u, 2u, 3u, 1023u, 1024u, 4999u}) {
    const Slab& slab = *snapshot.slabs[k / Slab::kRows];
    EXPECT_EQ(slab.counts.at(k % Slab::kRows), k + 1);
    const float* row = slab.data.get() + k % Slab::kRows * 4;
    EXPECT_EQ(std::vector<float>(row, row + 4), std::vector<float>(data.begin() + 4 * k, data.begin() + 4 * k + 4));
  }
  std::vector<float> out(keys.size() * 2);
  table.gather(keys, {}, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(out.data()));
  for (std::size_t k = 0; k < keys.size(); ++k) ASSERT_EQ(out[2 * k], data[4 * k]) << k;
}

}  // namespace
}  // namespace dyad::ps
