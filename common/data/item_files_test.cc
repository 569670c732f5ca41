#include "common/data/item_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/io/half.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ItemFilesTest : public testing::Test {
 protected:
  void write_vectors(std::vector<std::size_t> shape, std::vector<float> values) {
    const auto tensor = io::make_tensor<float>(std::move(shape), values);
    ASSERT_TRUE(io::write_safetensors(folder_ / "vectors/semantic.safetensors", {{"embedding", tensor}}).has_value());
  }
  void write_codes(std::vector<std::int32_t> values) {
    const auto tensor = io::make_tensor<std::int32_t>({values.size() / 2, 2}, values);
    ASSERT_TRUE(io::write_safetensors(folder_ / "codes/semantic.safetensors", {{"codes", tensor}}).has_value());
  }
  io::TempFolder folder_;
};

TEST_F(ItemFilesTest, WhatIsMissingIsNamedWithTheCommandThatMakesIt) {
  const auto vectors = ItemVectors::open(folder_.path(), "semantic", 2).error();
  EXPECT_EQ(vectors.code, Code::kNotFound);
  EXPECT_THAT(vectors.message, HasSubstr("vectors/semantic.safetensors: no semantic vectors yet"));
  EXPECT_THAT(vectors.message, HasSubstr("dyad encode"));
  const auto codes = open_codes(folder_.path(), "semantic", 2).error();
  EXPECT_EQ(codes.code, Code::kNotFound);
  EXPECT_THAT(codes.message, HasSubstr("dyad codes build --data " + folder_.path().string()));
}

TEST_F(ItemFilesTest, WhatIsOfAnotherCatalogueIsRefused) {
  write_vectors({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ItemVectors::open(folder_.path(), "semantic", 2).error().message, HasSubstr("3 vectors"));
  write_vectors({6}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ItemVectors::open(folder_.path(), "semantic", 6).error().message, HasSubstr("1 dimensions"));
  write_codes({0, 0, 0, 1, 1, 0});
  EXPECT_THAT(open_codes(folder_.path(), "semantic", 2).error().message, HasSubstr("codes of 3 items"));
  EXPECT_EQ(open_codes(folder_.path(), "semantic", 3).value().items(), 3u);
}

TEST_F(ItemFilesTest, VectorsAreGivenAsFloatsAlsoWhereTheyAreHalves) {
  write_vectors({2, 2}, {1, 2, 3, 0.5f});
  std::vector<float> values(4);
  const auto vectors = ItemVectors::open(folder_.path(), "semantic", 2).value();
  EXPECT_EQ(vectors.width(), 2u);
  ASSERT_TRUE(vectors.copy_to(values).has_value());
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 0.5f));
  std::vector<std::uint16_t> halves;
  for (const float v : {4.0f, 2.0f, 3.0f, 0.5f}) halves.push_back(io::float_to_half(v));
  ASSERT_TRUE(io::write_safetensors(folder_ / "vectors/semantic.safetensors",
                                    {{"embedding", {io::DType::kF16, {2, 2}, std::as_bytes(std::span(halves))}}})
                  .has_value());
  ASSERT_TRUE(ItemVectors::open(folder_.path(), "semantic", 2).value().copy_to(values).has_value());
  EXPECT_THAT(values, ElementsAre(4, 2, 3, 0.5f));
}

}  // namespace
}  // namespace dyad::data
