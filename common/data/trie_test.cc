#include "common/data/trie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include "common/base/random.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::HasSubstr;

TEST(Trie, SmallTrieIsNumberedBreadthFirst) {
  const std::vector<std::int32_t> codes{1, 0, /**/ 0, 7, /**/ 1, 2, /**/ 0, 3};   // items 0..3
  const Trie trie = Trie::build(codes, 2).value();
  EXPECT_EQ(trie.nodes(), 7u);
  EXPECT_EQ(trie.child_begin(NodeId{0}), NodeId{1});
  EXPECT_EQ(trie.child_end(NodeId{0}), NodeId{3});
  EXPECT_EQ(trie.child_begin(NodeId{2}), NodeId{5});
  EXPECT_EQ(trie.item(NodeId{3}), ItemId{3});    // path 0,3
  EXPECT_EQ(trie.item(NodeId{6}), ItemId{2});    // path 1,2
  EXPECT_FALSE(trie.is_leaf(NodeId{2}));
  EXPECT_EQ(trie.child_begin(NodeId{6}), trie.child_end(NodeId{6}));
}

// Random distinct paths against a map of prefixes, the plainest trie there is.
TEST(Trie, AgreesWithAMapOfPrefixes) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    KeyedRandom random(seed);
    const std::size_t levels = 1 + random.below(4), width = 2 + random.below(6), wanted = 1 + random.below(300);
    std::set<std::vector<std::int32_t>> distinct;
    for (std::size_t i = 0; i < wanted; ++i) {
      std::vector<std::int32_t> path(levels);
      for (auto& code : path) code = static_cast<std::int32_t>(random.below(width) * 3);
      distinct.insert(path);
    }
    std::vector<std::vector<std::int32_t>> items(distinct.begin(), distinct.end());
    shuffle(items, random);
    std::vector<std::int32_t> codes;
    for (const auto& path : items) codes.insert(codes.end(), path.begin(), path.end());
    const Trie trie = Trie::build(codes, levels).value();

    std::map<std::vector<std::int32_t>, NodeId> node_of{{{}, NodeId{0}}};
    std::map<std::vector<std::int32_t>, std::set<std::int32_t>> children;
    for (std::size_t i = 0; i < items.size(); ++i)
      for (std::size_t level = 0; level < levels; ++level) {
        const std::vector<std::int32_t> above(items[i].begin(), items[i].begin() + static_cast<std::ptrdiff_t>(level));
        children[above].insert(items[i][level]);
        std::vector<std::int32_t> prefix = above;
        prefix.push_back(items[i][level]);
        const NodeId node = trie.path(ItemId{static_cast<std::uint32_t>(i)})[level];
        ASSERT_EQ(node_of.emplace(prefix, node).first->second, node);
        ASSERT_EQ(trie.parent(node), node_of.at(above));
        ASSERT_EQ(trie.is_leaf(node), level + 1 == levels);
        if (level + 1 == levels) { ASSERT_EQ(trie.item(node), ItemId{static_cast<std::uint32_t>(i)}); }
      }
    ASSERT_EQ(trie.nodes(), node_of.size());
    ASSERT_EQ(trie.items(), items.size());
    for (const auto& [prefix, codes_below] : children) {
      const NodeId node = node_of.at(prefix);
      ASSERT_EQ(trie.child_end(node).value - trie.child_begin(node).value, codes_below.size());
      std::uint32_t child = trie.child_begin(node).value;
      for (const std::int32_t code : codes_below) {          // ascending codes are ascending nodes
        std::vector<std::int32_t> below = prefix;
        below.push_back(code);
        ASSERT_EQ(node_of.at(below), NodeId{child++});
      }
    }
  }
}

// A trained row is found by its key: one that moves is another node's row. New items bring new nodes on every level,
// and new codes between old ones.
TEST(Trie, AppendedItemsMoveNoKey) {
  constexpr std::size_t kLevels = 3, kOld = 4000, kNew = 1000;
  KeyedRandom random(11);
  std::set<std::vector<std::int32_t>> distinct;
  std::vector<std::int32_t> codes;
  while (distinct.size() < kOld + kNew) {
    std::vector<std::int32_t> path(kLevels);
    for (auto& code : path) code = static_cast<std::int32_t>(random.below(40));
    if (distinct.insert(path).second) codes.insert(codes.end(), path.begin(), path.end());
  }
  const Trie old = Trie::build(std::span(codes).first(kOld * kLevels), kLevels).value();
  const Trie grown = Trie::build(codes, kLevels).value();
  std::size_t moved = 0;
  for (std::uint32_t i = 0; i < kOld; ++i)
    for (std::size_t level = 0; level < kLevels; ++level) {
      const NodeId before = old.path(ItemId{i})[level], now = grown.path(ItemId{i})[level];
      ASSERT_EQ(old.key(before), grown.key(now));
      moved += before != now;
    }
  EXPECT_GT(moved, kOld);                                    // the numbers of nodes do move
  std::set<RowKey> keys;
  for (std::uint32_t n = 0; n < grown.nodes(); ++n) {
    EXPECT_EQ(grown.node(grown.key(NodeId{n})), NodeId{n});
    keys.insert(grown.key(NodeId{n}));
  }
  EXPECT_EQ(keys.size(), grown.nodes());                     // each once, 0 (the root's) to nodes() - 1
  EXPECT_EQ(keys.rbegin()->value, grown.nodes() - 1);
  EXPECT_EQ(grown.key(NodeId{0}), RowKey{0});
}

TEST(Trie, RefusesSharedPathsAndCodesThatAreNone) {
  const std::vector<std::int32_t> twice{1, 2, 3, 4, 1, 2}, negative{1, -2}, large{0, 1, 0, 4};
  EXPECT_THAT(Trie::build(twice, 2).error().message, HasSubstr("items 0 and 2 have the same path"));
  EXPECT_THAT(Trie::build(negative, 2).error().message, HasSubstr("item 0 has code -2 at level 2"));
  EXPECT_THAT(Trie::build(large, 2, 4).error().message, HasSubstr("item 1 has code 4 at level 2, wanted 0 to 3"));
  EXPECT_FALSE(Trie::build(negative, 3).has_value());
  EXPECT_FALSE(Trie::build({}, 3).has_value());
  EXPECT_FALSE(Trie::build(negative, 0).has_value());
}

// A decoder's mask has a bit a level: 40 levels aborted the worker as a bug of ours.
TEST(Trie, RefusesMoreLevelsThanAMaskHasBits) {
  std::vector<std::int32_t> codes(2 * 31, 0);
  codes.back() = 1;
  EXPECT_THAT(Trie::build(codes, 31).error().message, HasSubstr("codes of 31 levels; at most 30"));
  codes.resize(2 * 30);
  codes.back() = 1;
  EXPECT_EQ(Trie::build(codes, 30).value().levels(), 30u);
}

class TrieFile : public testing::Test {
 protected:
  template <class T> Result<Trie> read(const std::vector<T>& codes, std::vector<std::size_t> shape,
                                       const io::Metadata& metadata = {}) {
    const auto tensor = io::make_tensor<T>(std::move(shape), codes);
    EXPECT_TRUE(io::write_safetensors(folder_ / "c", {{"codes", tensor}}, metadata).has_value());
    return Trie::read(io::Safetensors::open(folder_ / "c").value());
  }
  io::TempFolder folder_;
};

TEST_F(TrieFile, IsReadAndABadOneNamed) {
  const std::vector<std::int32_t> codes{0, 1, 1, 0};
  const Trie trie = read(codes, {2, 2}).value();
  EXPECT_EQ(trie.levels(), 2u);
  EXPECT_EQ(trie.digest(), Trie::build(codes, 2).value().digest());
  EXPECT_NE(trie.digest(), Trie::build(codes, 4).value().digest());
  EXPECT_THAT(read(codes, {4}).error().message, HasSubstr((folder_ / "c").string()));
}

TEST_F(TrieFile, CodesAreBelowTheKThatTheFileNames) {
  const std::vector<std::int32_t> codes{0, 1, 1, 3};
  EXPECT_TRUE(read(codes, {2, 2}, {{"k", "4"}}).has_value());
  EXPECT_THAT(read(codes, {2, 2}, {{"k", "3"}}).error().message,
              HasSubstr("item 1 has code 3 at level 2, wanted 0 to 2"));
  EXPECT_THAT(read(codes, {2, 2}, {{"k", "many"}}).error().message, HasSubstr("k is 'many'"));
}

TEST_F(TrieFile, SixtyFourBitsAreReadWhereTheyFit) {
  EXPECT_EQ(read<std::int64_t>({0, 1, 1, 0}, {2, 2}).value().digest(),
            Trie::build(std::vector<std::int32_t>{0, 1, 1, 0}, 2).value().digest());
  EXPECT_THAT(read<std::int64_t>({0, 1, 1LL << 32, 0}, {2, 2}).error().message, HasSubstr("code 2 is 4294967296"));
}

}  // namespace
}  // namespace dyad::data
