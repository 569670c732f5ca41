#include "ps/weights.h"

#include <map>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/base/random.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/rows_file.h"
#include "common/io/temp_folder.h"
#include "common/tables/tables_for_test.h"
#include "ps/cut.h"

namespace dyad::ps {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kDim = 4;
constexpr std::uint64_t kRows = 300;

constexpr int kTables = 3;

std::unique_ptr<Shard> make_shard(const std::string& optimizer, std::uint32_t dim = kDim,
                                  std::uint64_t items = kRows) {
  return std::move(Shard::make({tables_for_test({.widths = {dim, dim, dim},
                                                 .key_ends = {items, kRows, kRows},
                                                 .optimizer = {.name = optimizer}})})).value();
}
TableId table_of(int t) { return static_cast<TableId>(t); }

// A checkpoint of step 7 by one server: kRows rows of each table, trained with adam.
class WeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    const wire::Partition partition{16, 4};
    auto shard = make_shard("adam");
    std::vector<RowKey> keys;
    std::vector<std::uint32_t> counts;
    for (std::uint64_t k = 0; k < kRows; ++k) keys.push_back(RowKey{k}), counts.push_back(9);
    for (int t = 0; t < kTables; ++t) {
      std::vector<float> data;
      for (std::uint64_t k = 0; k < kRows; ++k)
        for (std::uint32_t i = 0; i < 3 * kDim; ++i) data.push_back(i < kDim ? value(t, k, i) : 0.5f);
      shard->table(table_of(t)).load(keys, counts, data);
    }
    std::vector<GroupId> groups;
    for (std::uint32_t g = 0; g < partition.groups; ++g) groups.push_back(GroupId{g});
    ckpt::Manifest manifest{.job = "other", .step = Step{7}, .groups = partition.groups, .tables = shard->tables()};
    const auto parts = write_cut(dir(), {Step{7}, {shard->freeze(Step{7})}}, partition, groups, stop_).value();
    for (const auto& part : parts) manifest.files.push_back({part.path, part.bytes, part.digest});
    from_ = {dir(), ckpt::write_manifest(dir(), manifest).value()};
  }
  static float value(int table, std::uint64_t key, std::uint32_t i) {
    return static_cast<float>(table * 10000) + static_cast<float>(key * kDim + i);
  }
  std::filesystem::path dir() const { return folder_ / "step-0000000007"; }
  // Checks the rows of one shard, and counts how often each is in `seen`.
  static void look(Shard& shard, std::size_t slots, std::map<std::pair<int, std::uint64_t>, int>& seen) {
    const auto frozen = shard.freeze(Step{0});
    for (int t = 0; t < kTables; ++t) {
      const TableSnapshot& table = frozen->tables[static_cast<std::size_t>(t)];
      ASSERT_EQ(table.slots, slots);
      for (std::size_t r = 0; r < table.rows; ++r) {
        const Slab& slab = *table.slabs[r / Slab::kRows];
        const std::size_t at = r % Slab::kRows;
        const float* row = slab.data.get() + at * slab.stride;
        const std::uint64_t key = slab.key(at).value;
        ++seen[{t, key}];
        EXPECT_EQ(slab.counts.at(at), 0u);
        for (std::uint32_t i = 0; i < kDim; ++i) ASSERT_EQ(row[i], value(t, key, i));
        for (std::size_t i = kDim; i < slab.stride; ++i) ASSERT_EQ(row[i], 0.0f);
      }
    }
  }
  Status load(Shard& shard, const wire::Partition& partition, std::span<const GroupId> groups) const {
    return load_weights(from_, partition, groups, shard, stop_);
  }
  io::TempFolder folder_;
  GivenWeights from_;
  const std::atomic<bool> stop_{false};
};

TEST_F(WeightsTest, RowsComeToWhoeverOwnsThemOfAnyPartitionAndForAnyOptimizerOnce) {
  for (const auto& [optimizer, slots] : std::map<std::string, std::size_t>{{"sgd", 0}, {"adagrad", 4}, {"adamw", 8}})
    for (const wire::Partition ours : {wire::Partition{16, 4}, {64, 8}, {8, 2}, {30, 3}, {7, 7}, {5, 1}}) {
      std::map<std::pair<int, std::uint64_t>, int> seen;
      for (std::uint32_t server = 0; server < 2; ++server) {
        std::vector<GroupId> groups;
        for (std::uint32_t g = server; g < ours.groups; g += 2) groups.push_back(GroupId{g});
        const auto shard = make_shard(optimizer);
        const Status loaded = load(*shard, ours, groups);
        ASSERT_TRUE(loaded) << loaded.error().message;
        look(*shard, slots, seen);
      }
      EXPECT_EQ(seen.size(), kTables * kRows) << ours.groups << " groups";
      for (const auto& [row, times] : seen) EXPECT_EQ(times, 1);
    }
}

TEST_F(WeightsTest, OnlyFilesThatCanHoldARowAreRead) {
  for (std::uint32_t g = 0; g < 4; ++g) {
    const auto range = groups_under(GroupId{g}, 4, 4);
    EXPECT_EQ(range.first, g);
    EXPECT_EQ(range.end, g + 1);
  }
  EXPECT_EQ(groups_under(GroupId{1}, 3, 4).first, 1u);            // [1/3, 2/3) of [1/4, 1/2), [1/2, 3/4)
  EXPECT_EQ(groups_under(GroupId{1}, 3, 4).end, 3u);
  EXPECT_EQ(groups_under(GroupId{0}, 1, 4).end, 4u);
  std::filesystem::remove(dir() / "rows/g0003.rows");
  const auto shard = make_shard("sgd");
  const std::vector<GroupId> first{GroupId{0}, GroupId{1}}, last{GroupId{7}};
  EXPECT_TRUE(load(*shard, {64, 8}, first));
  const Status gone = load(*make_shard("sgd"), {64, 8}, last);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message, HasSubstr("g0003.rows"));
}

TEST_F(WeightsTest, WhatIsNoWeightOfThisJobIsRefusedByName) {
  const std::vector<GroupId> all{GroupId{0}, GroupId{1}, GroupId{2}, GroupId{3}};
  const auto refusal = [&](Shard& shard) {
    const Status loaded = load(shard, {16, 4}, all);
    EXPECT_FALSE(loaded);
    return loaded ? Error{} : loaded.error();
  };
  const Error narrow = refusal(*make_shard("adam", 8));
  EXPECT_EQ(narrow.code, Code::kInvalid);
  EXPECT_THAT(narrow.message, HasSubstr("g0000.rows: rows of table item have 4 floats, this job's 8"));
  EXPECT_THAT(refusal(*make_shard("adam", kDim, kRows - 1)).message,
              HasSubstr("has row 299 of table item, job.data has 299"));
  from_.manifest ^= 1;
  EXPECT_THAT(refusal(*make_shard("adam")).message, HasSubstr("the checkpoint has changed meanwhile"));
}

}  // namespace
}  // namespace dyad::ps
