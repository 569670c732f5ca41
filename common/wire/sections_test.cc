#include "common/wire/sections.h"

#include <gtest/gtest.h>
#include "common/wire/routing.h"

namespace dyad::wire {
namespace {

struct Fixture {
  std::vector<RowKey> keys{RowKey{5}, RowKey{6}, RowKey{7}};
  std::vector<float> values = std::vector<float>(3 * 4, 1.5f);
  TableDims dims{4, 4, 4};
  std::vector<Bytes> frames{std::as_bytes(std::span(keys)), std::as_bytes(std::span(values))};
  Push push{Step{1}, 0.1f, false, ValueType::kFp32, {{TableId::kBehaviour, 3}}};
};

TEST(Sections, APushShowsItsKeysAndValues) {
  Fixture f;
  const auto views = open_sections(f.push, f.frames, f.dims).value();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].table, TableId::kBehaviour);
  EXPECT_EQ(views[0].keys[2], RowKey{7});
  EXPECT_EQ(views[0].values.size(), 48u);
}

TEST(Sections, CountsThatDisagreeWithFramesAreRefused) {
  Fixture f;
  f.push.sections[0].count = 4;
  EXPECT_FALSE(open_sections(f.push, f.frames, f.dims));
  f.push.sections[0].count = 3;
  f.dims = {4, 8, 4};
  const auto wrong_dim = open_sections(f.push, f.frames, f.dims);
  ASSERT_FALSE(wrong_dim);
  EXPECT_NE(wrong_dim.error().message.find("code.behaviour"), std::string::npos) << wrong_dim.error().message;
  f.frames.pop_back();
  EXPECT_FALSE(open_sections(f.push, f.frames, f.dims));
}

TEST(Partition, BucketsAreEvenAndGroupsAreRunsOfThem) {
  const Partition partition{1024, 32};
  std::vector<int> count(32);
  for (std::uint64_t k = 0; k < 32000; ++k) {
    const BucketId bucket = partition.bucket(TableId::kItem, RowKey{k});
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
