#include "common/wire/sections.h"

#include <limits>
#include <gtest/gtest.h>
#include "common/tables/tables_for_test.h"
#include "common/wire/routing.h"

namespace dyad::wire {
namespace {

struct Fixture {
  std::vector<RowKey> keys{RowKey{5}, RowKey{6}, RowKey{7}};
  std::vector<float> values = std::vector<float>(3 * 4, 1.5f);
  Tables tables = tables_for_test({.widths = {4, 4, 4}});
  std::vector<Bytes> frames{std::as_bytes(std::span(keys)), std::as_bytes(std::span(values))};
  Push push{Step{1}, 0.1f, false, ValueType::kFp32, {{TableId{1}, 3}}};
};

TEST(Sections, APushShowsItsKeysAndValues) {
  Fixture f;
  const auto views = open_sections(f.push, f.frames, f.tables).value();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].table, TableId{1});
  EXPECT_EQ(views[0].keys[2], RowKey{7});
  EXPECT_EQ(views[0].values.size(), 48u);
}

TEST(Sections, CountsThatDisagreeWithFramesAreRefused) {
  Fixture f;
  f.push.sections[0].count = 4;
  EXPECT_FALSE(open_sections(f.push, f.frames, f.tables));
  f.push.sections[0].count = 3;
  f.tables[1].width = 8;
  const auto wrong_dim = open_sections(f.push, f.frames, f.tables);
  ASSERT_FALSE(wrong_dim);
  EXPECT_NE(wrong_dim.error().message.find("code.behaviour"), std::string::npos) << wrong_dim.error().message;
  f.tables.pop_back();
  f.tables.pop_back();                                              // of one table, where the push names another
  const auto unknown = open_sections(f.push, f.frames, f.tables);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "Push: section of unknown table 1 (of 1)");
  f.tables = tables_for_test({.widths = {4, 4, 4}});
  f.frames.pop_back();
  EXPECT_FALSE(open_sections(f.push, f.frames, f.tables));
}

TEST(Sections, AValueThatIsNotFiniteIsNamedWithTableAndKey) {
  Fixture f;
  const auto checked = [&] {
    return check_finite(open_sections(f.push, f.frames, f.tables).value(), f.tables, f.push.values);
  };
  f.values[4] = std::numeric_limits<float>::max();
  f.values[5] = -std::numeric_limits<float>::denorm_min();
  EXPECT_TRUE(checked());
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    f.values[7] = bad;
    ASSERT_FALSE(checked());
    EXPECT_EQ(checked().error().message, "holds a value that is not finite for key 6 of table code.behaviour");
  }
  std::vector<std::uint16_t> halves(12, 0x7bff);                     // 65504, the largest
  f.push.values = ValueType::kFp16;
  f.frames[1] = std::as_bytes(std::span(halves));
  EXPECT_TRUE(checked());
  for (const std::uint16_t bad : {0x7c00, 0xfc00, 0x7e01}) {
    halves[11] = bad;
    ASSERT_FALSE(checked());
    EXPECT_EQ(checked().error().message, "holds a value that is not finite for key 7 of table code.behaviour");
  }
}

Status keys_of_pull(std::vector<std::vector<std::uint64_t>> keys, std::vector<TableId> tables = {}) {
  std::vector<SectionView> views;
  for (std::size_t i = 0; i < keys.size(); ++i)
    views.push_back({tables.empty() ? static_cast<TableId>(i) : tables[i], keys[i].size(),
                     {reinterpret_cast<const RowKey*>(keys[i].data()), keys[i].size()}, {}});
  return check_keys(views, tables_for_test({.key_ends = {10, 20, 1}}));
}

TEST(Sections, KeysAscendEachOnceAndAreBelowTheEndOfTheirTable) {
  EXPECT_TRUE(keys_of_pull({}));
  EXPECT_TRUE(keys_of_pull({{}, {}, {}}));
  EXPECT_TRUE(keys_of_pull({{0, 1, 9}, {1, 19}, {0}}));
  EXPECT_EQ(keys_of_pull({{4, 4}}).error().message,
            "names key 4 of table item right after key 4: keys must ascend, each once");
  EXPECT_EQ(keys_of_pull({{0}, {3, 7, 5, 8}}).error().message,
            "names key 5 of table code.behaviour right after key 7: keys must ascend, each once");
  EXPECT_EQ(keys_of_pull({{0}, {0}, {0, 1}}).error().message,
            "names key 1 of table code.semantic, whose keys are below 1: do all processes read the same job.data?");
  EXPECT_FALSE(keys_of_pull({{10}}));
  EXPECT_FALSE(keys_of_pull({{~0ull}}));
  EXPECT_EQ(keys_of_pull({{1}, {2}, {3}}, {TableId{0}, TableId{1}, TableId{0}}).error().message,
            "names table item twice");
}

TEST(Sections, ARepliesFrameHasABound) {
  const std::vector<SectionView> views{{TableId{0}, 2, {}, {}}, {TableId{1}, 100, {}, {}}};
  EXPECT_TRUE(check_reply(views, tables_for_test(), ValueType::kFp32, 3200));
  EXPECT_FALSE(check_reply(views, tables_for_test(), ValueType::kFp32, 3199));
  EXPECT_TRUE(check_reply(views, tables_for_test(), ValueType::kFp16, 1600));
  EXPECT_EQ(check_reply(views, tables_for_test(), ValueType::kFp16, 1599).error().message,
            "asks for 100 rows of table code.behaviour, which are 1600 bytes; a frame has at most 1599: ask for fewer");
  const std::vector<SectionView> most{{TableId{0}, ~0u, {}, {}}};
  EXPECT_FALSE(check_reply(most, tables_for_test({.widths = {4096, 1, 1}}), ValueType::kFp32, 1u << 30));
}

TEST(Partition, BucketsAreEvenAndGroupsAreRunsOfThem) {
  const Partition partition{1024, 32};
  std::vector<int> count(32);
  for (std::uint64_t k = 0; k < 32000; ++k) {
    const BucketId bucket = partition.bucket(TableId{0}, RowKey{k});
    ASSERT_LT(bucket.value, 1024u);
    ++count[partition.group(bucket).value];
  }
  for (int n : count) EXPECT_NEAR(n, 1000, 160);
  EXPECT_EQ(partition.group(BucketId{31}), GroupId{0});
  EXPECT_EQ(partition.group(BucketId{32}), GroupId{1});
  EXPECT_FALSE(check(Partition{1000, 32}));
}

}  // namespace
}  // namespace dyad::wire
