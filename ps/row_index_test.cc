#include "ps/row_index.h"

#include <vector>
#include <gtest/gtest.h>

namespace dyad::ps {
namespace {

struct Indexed {
  std::atomic<std::uint64_t> memory{0};
  Slabs slabs{1, nullptr};
  RowIndex index{slabs, &memory};

  void insert(RowKey key) { index.insert(RowIndex::hash(key), slabs.append(key)); }
  std::uint32_t find(RowKey key) const { return index.find(index.probe(key), key); }
};

// Dense keys, far ones, and some that only their high halves tell apart.
RowKey key_of(std::uint64_t i) {
  return RowKey{i % 3 == 0 ? i : i % 3 == 1 ? i * 0x100000001ull : i << 40};
}

TEST(RowIndex, FindsEveryKeyAndNoOtherWhileItGrows) {
  Indexed rows;
  constexpr std::uint64_t n = 120000;
  for (std::uint64_t i = 1; i <= n; ++i) {
    ASSERT_EQ(rows.find(key_of(i)), RowIndex::kNone) << i;
    rows.insert(key_of(i));
    ASSERT_EQ(rows.find(key_of(i)), i - 1);
    const std::uint64_t before = 1 + mix64(i) % i;
    ASSERT_EQ(rows.find(key_of(before)), before - 1) << i;
  }
  for (std::uint64_t i = 1; i <= n; ++i) ASSERT_EQ(rows.find(key_of(i)), i - 1);
  for (std::uint64_t i = n + 1; i <= 2 * n; ++i) ASSERT_EQ(rows.find(key_of(i)), RowIndex::kNone);
}

TEST(RowIndex, WhatIsLikelyIsThereForEveryKeyThatIs) {
  Indexed rows;
  for (std::uint64_t i = 1; i <= 5000; ++i) rows.insert(key_of(i));
  for (std::uint64_t i = 1; i <= 5000; ++i) ASSERT_NE(rows.index.likely(rows.index.probe(key_of(i))), RowIndex::kNone);
}

TEST(RowIndex, TakesSevenBytesARowOrSoAtEverySize) {
  Indexed rows;
  for (std::uint64_t i = 1; i <= 100000; ++i) {
    rows.insert(key_of(i));
    if (i >= 2000) { ASSERT_LT(rows.index.bytes(), 8 * i) << i; }
    ASSERT_EQ(rows.index.bytes(), rows.memory);
  }
}

// One small insert after the other: what one of them moves shows in the bytes that it makes.
TEST(RowIndex, NoInsertMakesMoreThanTwoSegments) {
  Indexed rows;
  std::size_t most = 0;
  for (std::uint64_t i = 1; i <= 100000; ++i) {
    const std::size_t before = rows.index.bytes();
    rows.insert(key_of(i));
    most = std::max(most, rows.index.bytes() - std::min(before, rows.index.bytes()));
  }
  EXPECT_LT(most, 6144u);
}

TEST(RowIndex, KeysThatAllFallIntoOneSegmentAreFound) {
  Indexed rows;
  std::vector<RowKey> keys;
  for (std::uint64_t k = 0; keys.size() < 4000; ++k)
    if (RowIndex::hash(RowKey{k}) % 256 == 7) keys.push_back(RowKey{k});
  for (const RowKey key : keys) rows.insert(key);
  for (std::uint32_t i = 0; i < keys.size(); ++i) ASSERT_EQ(rows.find(keys[i]), i);
}

TEST(RowIndex, ReservedRowsAreFoundToo) {
  Indexed rows;
  for (std::uint64_t i = 1; i <= 3000; ++i) rows.insert(key_of(i));
  rows.index.reserve(200000);
  for (std::uint64_t i = 3001; i <= 20000; ++i) rows.insert(key_of(i));
  for (std::uint64_t i = 1; i <= 20000; ++i) ASSERT_EQ(rows.find(key_of(i)), i - 1);
}

TEST(Column, ValuesThatNeedTheirHighHalvesKeepThem) {
  Column<std::uint32_t, std::uint16_t> column(4);
  column.set(1, 65535);
  EXPECT_EQ(column.high(), nullptr);
  column.set(2, 65536);
  column.set(3, 0x12345678);
  column.set(1, column.at(1) + 1);
  const Column<std::uint32_t, std::uint16_t> copy(column);
  column.set(3, 3);
  EXPECT_EQ(column.at(3), 3u);
  const std::vector<std::uint32_t> want{0, 65536, 65536, 0x12345678};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(copy.at(i), want[i]) << i;
}

}  // namespace
}  // namespace dyad::ps
