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
  EXPECT_EQ(lookup.parse("godfather, the (1972), 50, toy story").value(), ids({1, 3, 0}));
  EXPECT_EQ(lookup.parse("Godfather: Part II, The (1974)").value(), ids({2}));
  EXPECT_EQ(lookup.parse(" 1 ,, 127 ").value(), ids({0, 1}));
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

}  // namespace
}  // namespace dyad::ops
