#include "ops/ui/code_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/data/item_files.h"
#include "common/data/test_dataset.h"
#include "common/io/temp_folder.h"

namespace dyad::ops {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CodeTreesTest : public testing::Test {
 protected:
  // Codes of `items` items, two levels; those of the behaviour stream the same.
  Result<CodeTrees> open(const std::vector<std::int32_t>& codes, std::int32_t k) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < codes.size() / 2; ++i) keys.push_back("i" + std::to_string(i));
    const auto dataset = data::dataset_of(folder_ / "d", keys);
    for (const std::string stream : data::kStreams)
      CHECK(data::write_codes(folder_ / "d" / "codes" / (stream + ".safetensors"), dataset.keys_digest(), codes, 2,
                              {{"k", std::to_string(k)}}).has_value());
    return CodeTrees::open(folder_ / "d");
  }
  io::TempFolder folder_;
};

TEST_F(CodeTreesTest, LeadFromTheRootToItemsWithTheirNumbers) {
  const auto trees = open({2, 0, 0, 0, 0, 1, 2, 1, 0, 3}, 4).value();         // items 1, 2, 4 | 0, 3
  const json root = trees.children("semantic", 0, 0).value();
  EXPECT_EQ(root.at("items"), 5);
  EXPECT_EQ(root.at("of"), 2);
  ASSERT_EQ(root.at("children").size(), 2u);
  const json& first = root.at("children")[0];
  EXPECT_EQ(first, (json{{"node", 1}, {"code", "0"}, {"items", 3}, {"titles", {"i1", "i2", "i4"}}}));
  EXPECT_EQ(root.at("children")[1].at("items"), 2);
  const json leaves = trees.children("behaviour", 1, 0).value();
  EXPECT_EQ(leaves.at("code"), "0");
  EXPECT_EQ(leaves.at("children"), json::array({json{{"code", "0.0"}, {"id", "i1"}, {"title", "i1"}},
                                                json{{"code", "0.1"}, {"id", "i2"}, {"title", "i2"}},
                                                json{{"code", "0.2"}, {"id", "i4"}, {"title", "i4"}}}));
}

TEST_F(CodeTreesTest, AnAnswerHoldsABoundedNumberOfChildren) {
  constexpr std::int32_t kItems = CodeTrees::kChildrenMax + 10;
  std::vector<std::int32_t> codes;
  for (std::int32_t i = 0; i < kItems; ++i) codes.insert(codes.end(), {0, i});
  const auto trees = open(codes, kItems).value();
  std::size_t items = 0;
  for (std::size_t from = 0; from < kItems; from += CodeTrees::kChildrenMax) {
    const json part = trees.children("semantic", 1, from).value();
    EXPECT_EQ(part.at("of"), kItems);
    EXPECT_LE(part.at("children").size(), CodeTrees::kChildrenMax);
    EXPECT_EQ(part.at("children")[0].at("code"), "0." + std::to_string(from));
    items += part.at("children").size();
  }
  EXPECT_EQ(items, static_cast<std::size_t>(kItems));
}

TEST_F(CodeTreesTest, WhatIsNotThereIsNamed) {
  const auto trees = open({0, 0, 0, 1}, 2).value();
  const auto error = [&](const std::string& stream, std::uint64_t node, std::uint64_t from) {
    const auto found = trees.children(stream, node, from);
    EXPECT_FALSE(found.has_value());
    return found ? std::string() : found.error().message;
  };
  EXPECT_THAT(error("text", 0, 0), HasSubstr("no stream \"text\""));
  EXPECT_THAT(error("semantic", 99, 0), HasSubstr("has 4 nodes, no 99"));
  EXPECT_THAT(error("semantic", 0, 1), HasSubstr("has 1 children"));
  EXPECT_THAT(error("semantic", 3, 0), HasSubstr("has 0 children")) << "an item has none";
  EXPECT_THAT(error("semantic", UINT64_MAX, UINT64_MAX), HasSubstr("no 18446744073709551615"));
  EXPECT_EQ(CodeTrees::open(folder_ / "none").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace dyad::ops
