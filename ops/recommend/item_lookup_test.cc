// A typed history becomes items, or one clear error.
#include <gtest/gtest.h>
#include "ops/recommend/item_lookup.h"

namespace dyad::ops {
namespace {

const std::vector<data::Item> kItems{{"1", "Toy Story (1995)", "", {}},
                                     {"127", "Godfather, The (1972)", "", {}},
                                     {"187", "Godfather: Part II, The (1974)", "", {}},
                                     {"50", "Star Wars (1977)", "", {}}};

std::vector<ItemId> ids(std::initializer_list<std::uint32_t> values) {
  std::vector<ItemId> out;
  for (const auto v : values) out.push_back(ItemId{v});
  return out;
}

TEST(ItemLookup, FindsTitlesWithCommasIdsAndPartsInOrder) {
  const ItemLookup lookup(kItems);
  EXPECT_EQ(lookup.parse("godfather, the (1972), 50, toy story").value().items, ids({1, 3, 0}));
  EXPECT_EQ(lookup.parse("Godfather: Part II, The (1974)").value().items, ids({2}));
  EXPECT_EQ(lookup.parse(" 1 ,, 127 ").value().items, ids({0, 1}));
}

TEST(ItemLookup, NamesWhatItCannotFindAndWhatIsAmbiguous) {
  const ItemLookup lookup(kItems);
  const auto missing = lookup.parse("50, Casablanca");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("Casablanca"), std::string::npos);
  const auto misspelt = lookup.parse("Toy Stori (1995)");
  EXPECT_EQ(misspelt.error().code, Code::kNotFound);
  EXPECT_NE(misspelt.error().message.find("Toy Story"), std::string::npos) << misspelt.error().message;
  const auto several = lookup.parse("godfather");
  EXPECT_EQ(several.error().code, Code::kInvalid);
  EXPECT_NE(several.error().message.find("187"), std::string::npos);
  EXPECT_EQ(lookup.parse(" , ").error().code, Code::kInvalid);
}

// Ids that differ in case alone, a title that is another item's id, two items of one title.
const std::vector<data::Item> kAlike{{"dQw4", "First clip", "", {}}, {"dqW4", "Second clip", "", {}},
                                     {"300", "The Long Walk", "", {}}, {"7", "300", "", {}},
                                     {"abc", "Twin", "", {}},          {"xyz", "Twin", "", {}},
                                     {"r", "A, B", "", {}},            {"s", "B", "", {}}};

TEST(ItemLookup, AnIdAsItIsWrittenComesBeforeAllElse) {
  const ItemLookup lookup(kAlike);
  EXPECT_EQ(lookup.parse("dqW4").value().items, ids({1}));
  EXPECT_EQ(lookup.parse("dQw4, dqW4").value().items, ids({0, 1}));
  const auto both = lookup.parse("300");
  EXPECT_EQ(both.value().items, ids({2}));
  ASSERT_EQ(both.value().notes.size(), 1u) << "that it is a title as well is said";
  EXPECT_NE(both.value().notes[0].find("7  300"), std::string::npos) << both.value().notes[0];
  EXPECT_EQ(lookup.parse("A, B, B").value().items, ids({6, 7}));
  EXPECT_EQ(lookup.parse("a, b").value().items, ids({6})) << "case does not matter where one alone can be meant";
}

TEST(ItemLookup, WhatCouldBeSeveralItemsIsRefusedWithAllOfThem) {
  const ItemLookup lookup(kAlike);
  for (const auto& [word, candidates] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"DQW4", {"dQw4", "dqW4"}}, {"Twin", {"abc", "xyz"}}, {"twin", {"abc", "xyz"}}, {"300, twin", {"abc"}}}) {
    const auto refused = lookup.parse(word);
    ASSERT_FALSE(refused) << word;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
    for (const auto& candidate : candidates)
      EXPECT_NE(refused.error().message.find("\n  " + candidate), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace dyad::ops
