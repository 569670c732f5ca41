#include "common/data/item_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/data/test_dataset.h"
#include "common/io/half_bits.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ItemFilesTest : public testing::Test {
 protected:
  std::filesystem::path vectors_file() const { return dataset_.dir() / "vectors/semantic.safetensors"; }
  std::filesystem::path codes_file() const { return dataset_.dir() / "codes/semantic.safetensors"; }
  void put_vectors(std::vector<std::size_t> shape, std::vector<float> values) {
    const auto tensor = io::make_tensor<float>(std::move(shape), values);
    ASSERT_TRUE(io::write_safetensors(vectors_file(), {{"embedding", tensor}}).has_value());
  }
  void put_codes(std::vector<std::int32_t> values) {
    const auto tensor = io::make_tensor<std::int32_t>({values.size() / 2, 2}, values);
    ASSERT_TRUE(io::write_safetensors(codes_file(), {{"codes", tensor}}).has_value());
  }
  std::string vectors_error() const { return ItemVectors::open(dataset_, "semantic").error().message; }
  std::string codes_error() const { return open_codes(dataset_, "semantic").error().message; }
  io::TempFolder folder_;
  Dataset dataset_ = dataset_of(folder_ / "d", {"a", "b"});
};

TEST_F(ItemFilesTest, WhatIsMissingIsNamedWithTheCommandThatMakesIt) {
  EXPECT_EQ(ItemVectors::open(dataset_, "semantic").error().code, Code::kNotFound);
  EXPECT_THAT(vectors_error(), HasSubstr("vectors/semantic.safetensors: no semantic vectors yet"));
  EXPECT_THAT(vectors_error(), HasSubstr("dyad encode text"));
  EXPECT_EQ(open_codes(dataset_, "semantic").error().code, Code::kNotFound);
  EXPECT_THAT(codes_error(), HasSubstr("dyad codes build --data " + dataset_.dir().string()));
}

TEST_F(ItemFilesTest, WhatIsOfAnotherNumberOfItemsIsRefused) {
  put_vectors({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(vectors_error(), HasSubstr("3 vectors"));
  put_vectors({2}, {1, 2});
  EXPECT_THAT(vectors_error(), HasSubstr("1 dimensions"));
  put_codes({0, 0, 0, 1, 1, 0});
  EXPECT_THAT(codes_error(), HasSubstr("codes of 3 items"));
  put_codes({0, 0, 0, 1});
  EXPECT_EQ(open_codes(dataset_, "semantic").value().trie.items(), 2u);
}

TEST_F(ItemFilesTest, VectorsAreGivenAsFloatsAlsoWhereTheyAreHalves) {
  put_vectors({2, 2}, {1, 2, 3, 0.5f});
  std::vector<float> values(4);
  const auto vectors = ItemVectors::open(dataset_, "semantic").value();
  EXPECT_EQ(vectors.width(), 2u);
  ASSERT_TRUE(vectors.copy_to(values).has_value());
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 0.5f));
  std::vector<std::uint16_t> halves;
  for (const float v : {4.0f, 2.0f, 3.0f, 0.5f}) halves.push_back(io::float_to_half(v));
  ASSERT_TRUE(io::write_safetensors(vectors_file(),
                                    {{"embedding", {io::DType::kF16, {2, 2}, std::as_bytes(std::span(halves))}}})
                  .has_value());
  ASSERT_TRUE(ItemVectors::open(dataset_, "semantic").value().copy_to(values).has_value());
  EXPECT_THAT(values, ElementsAre(4, 2, 3, 0.5f));
}

// The same items in another order: every number fits, and every item has another's vector and codes.
TEST_F(ItemFilesTest, FilesOfACatalogueInAnotherOrderAreRefused) {
  const Dataset other = dataset_of(folder_ / "other", {"b", "a"});
  const std::vector<std::int32_t> codes{0, 1};
  ASSERT_TRUE(write_vectors(vectors_file(), other.keys_digest(), {2, 1, {1, 2}}, "x").has_value());
  ASSERT_TRUE(write_codes(codes_file(), other.keys_digest(), codes, 1, {}).has_value());
  EXPECT_THAT(vectors_error(), HasSubstr("made for another catalogue"));
  EXPECT_THAT(codes_error(), HasSubstr("made for another catalogue"));
  EXPECT_THAT(codes_error(), HasSubstr("dyad codes build"));
  ASSERT_TRUE(write_vectors(vectors_file(), dataset_.keys_digest(), {2, 1, {1, 2}}, "x").has_value());
  ASSERT_TRUE(write_codes(codes_file(), dataset_.keys_digest(), codes, 1, {}).has_value());
  EXPECT_TRUE(ItemVectors::open(dataset_, "semantic").value().sealed());
  EXPECT_TRUE(open_codes(dataset_, "semantic").value().sealed);
}

TEST_F(ItemFilesTest, AFlippedBitInAFileOfOursIsFoundWhereverItIs) {
  const std::vector<std::int32_t> codes{0, 1};
  ASSERT_TRUE(write_vectors(vectors_file(), dataset_.keys_digest(), {2, 1, {1, 2}}, "x").has_value());
  ASSERT_TRUE(write_codes(codes_file(), dataset_.keys_digest(), codes, 1, {{"k", "2"}}).has_value());
  for (const auto& file : {vectors_file(), codes_file()}) {
    const std::string whole = io::read_file(file).value();
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
      ASSERT_TRUE(io::write_file_atomic(file, bytes).has_value());
      const auto error = file == codes_file() ? codes_error() : vectors_error();
      EXPECT_THAT(error, HasSubstr(file.string())) << "byte " << i;
    }
    ASSERT_TRUE(io::write_file_atomic(file, whole).has_value());
  }
}

}  // namespace
}  // namespace dyad::data
