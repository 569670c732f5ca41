#include "ps/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstring>

namespace dyad::ps {
namespace {

using testing::HasSubstr;

// One gradient of ones for key 3 of each table, then what a pull would read.
TEST(Shard, EachTableHasItsOwnWidthInitialRowsAndOptimizer) {
  const Tables tables{{.name = "a", .width = 2, .key_end = 9, .init_std = 0, .optimizer = {.name = "sgd"}},
                      {.name = "b", .width = 5, .key_end = 9, .init_std = 0, .optimizer = {.name = "adagrad"}},
                      {.name = "c", .width = 1, .key_end = 9, .seed = 4, .stream = 8, .init_std = 1,
                       .optimizer = {.name = "sgd", .clip = 0.5f}}};
  auto shard = std::move(Shard::make({tables})).value();
  const RowKey key{3};
  const auto read = [&](TableId table, std::size_t width) {
    std::vector<float> row(width);
    shard->gather({table, 1, {&key, 1}, {}}, {}, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(row.data()));
    return row;
  };
  const float born = read(TableId{2}, 1)[0];
  EXPECT_NE(born, 0.0f);
  const std::vector<float> ones(5, 1.0f);
  std::vector<wire::SectionView> sections;
  for (std::size_t t = 0; t < 3; ++t)
    sections.push_back({static_cast<TableId>(t), 1, {&key, 1},
                        std::as_bytes(std::span(ones).first(tables[t].width))});
  const PushPart push{sections, {}, wire::ValueType::kFp32};
  EXPECT_EQ(shard->apply(0.25f, {&push, 1}), 3u);
  EXPECT_EQ(read(TableId{0}, 2), std::vector<float>(2, -0.25f));
  for (const float v : read(TableId{1}, 5)) EXPECT_NEAR(v, -0.25f, 1e-6f) << "Adagrad's first step is the rate";
  EXPECT_FLOAT_EQ(read(TableId{2}, 1)[0], born - 0.25f * 0.5f) << "clipped";
  EXPECT_EQ(shard->table(TableId{0}).shape().slots, 0u);
  EXPECT_EQ(shard->table(TableId{1}).shape().slots, 5u);
}

TEST(Shard, AnOptimizerThatThereIsNotIsRefused) {
  EXPECT_THAT(Shard::make({{{.name = "a", .width = 1, .optimizer = {.name = "lion"}}}}).error().message,
              HasSubstr("lion"));
}

}  // namespace
}  // namespace dyad::ps
