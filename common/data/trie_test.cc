#include "common/data/trie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include "common/base/random.h"
#include "common/io/safetensors.h"
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

TEST(Trie, RefusesSharedPathsAndCodesThatAreNone) {
  const std::vector<std::int32_t> twice{1, 2, 3, 4, 1, 2}, negative{1, -2};
  EXPECT_THAT(Trie::build(twice, 2).error().message, HasSubstr("items 0 and 2 have the same path"));
  EXPECT_THAT(Trie::build(negative, 2).error().message, HasSubstr("item 0 has code -2 at level 2"));
  EXPECT_FALSE(Trie::build(negative, 3).has_value());
  EXPECT_FALSE(Trie::build({}, 3).has_value());
  EXPECT_FALSE(Trie::build(negative, 0).has_value());
}

TEST(Trie, LoadsCodesOfAFileAndNamesABadOne) {
  const io::TempFolder folder;
  const std::vector<std::int32_t> codes{0, 1, 1, 0};
  ASSERT_TRUE(
      io::write_safetensors(folder / "c", {{"codes", io::make_tensor<std::int32_t>({2, 2}, codes)}}).has_value());
  const Trie trie = Trie::load(folder / "c").value();
  EXPECT_EQ(trie.levels(), 2u);
  EXPECT_EQ(trie.digest(), Trie::build(codes, 2).value().digest());
  EXPECT_NE(trie.digest(), Trie::build(codes, 4).value().digest());
  ASSERT_TRUE(io::write_safetensors(folder / "d", {{"codes", io::make_tensor<std::int32_t>({4}, codes)}}).has_value());
  EXPECT_THAT(Trie::load(folder / "d").error().message, HasSubstr((folder / "d").string()));
}

}  // namespace
}  // namespace dyad::data
