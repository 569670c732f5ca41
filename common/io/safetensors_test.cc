#include "common/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstring>
#include <fstream>
#include <limits>
#include "common/io/half_bits.h"
#include "common/io/matrix.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

using testing::HasSubstr;

std::string with_header(const std::string& json, std::size_t data_bytes) {
  std::string text(8, '\0');
  const std::uint64_t n = json.size();
  std::memcpy(text.data(), &n, 8);
  return text + json + std::string(data_bytes, '\1');
}

std::string error_of(const std::string& bytes) {
  const TempFolder folder;
  std::ofstream(folder / "x.safetensors", std::ios::binary) << bytes;
  const auto opened = Safetensors::open(folder / "x.safetensors");
  EXPECT_FALSE(opened.has_value()) << bytes;
  if (opened.has_value()) return "";
  EXPECT_EQ(opened.error().code, Code::kInvalid);
  EXPECT_THAT(opened.error().message, HasSubstr("x.safetensors"));
  return opened.error().message;
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const TempFolder folder;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> longs{-1, 1LL << 40};
  const std::vector<std::uint8_t> bytes{7, 8, 9};
  const std::vector<std::uint16_t> halves{float_to_half(0.25f), float_to_half(-3.0f)};
  const std::map<std::string, Tensor> tensors{
      {"a", make_tensor<std::uint8_t>({3}, bytes)}, {"b", make_tensor<float>({2, 3}, floats)},
      {"c", make_tensor<std::int64_t>({2}, longs)}, {"h", {DType::kF16, {2}, std::as_bytes(std::span(halves))}},
      {"none", make_tensor<float>({0, 5}, {})}};
  const FileFacts one = write_safetensors(folder / "x", tensors, {{"step", "7"}, {"k", "v"}}).value();
  const FileFacts two = write_safetensors(folder / "y", tensors, {{"k", "v"}, {"step", "7"}}).value();
  EXPECT_EQ(one.digest, two.digest);
  const Safetensors file = Safetensors::open(folder / "x").value();
  EXPECT_EQ(file.metadata(), (Metadata{{"k", "v"}, {"step", "7"}}));
  EXPECT_EQ(file.floats("b").value(), floats);
  EXPECT_EQ(file.longs("c").value(), longs);
  EXPECT_EQ(file.floats("h").value(), (std::vector<float>{0.25f, -3.0f}));
  EXPECT_EQ(file.tensor("none").value().count(), 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensor("c").value().bytes.data()) % 8, 0u);
  EXPECT_THAT(file.floats("c").error().message, HasSubstr("'c' is I64"));
  EXPECT_THAT(file.floats("zz").error().message, HasSubstr("no tensor 'zz'; it holds 5 tensors: a, b, c, h, none"));
  const Matrix matrix = load_matrix(folder / "x", "b").value();
  EXPECT_EQ(matrix.row(1)[0], 4.0f);
  EXPECT_THAT(load_matrix(folder / "x", "c").error().message, HasSubstr("'c' is [2], wanted [rows, width]"));
  EXPECT_EQ(load_matrix(folder / "x", "b").value().values, floats);
}

TEST(Safetensors, DoublesAreReadAndOtherTypesAreRefusedByNameWhereFloatsAreWanted) {
  const TempFolder folder;
  const std::vector<double> doubles{0.5, -1e300};
  const std::vector<std::uint16_t> shorts{1, 2};
  ASSERT_TRUE(write_safetensors(folder / "x", {{"d", {DType::kF64, {1, 2}, std::as_bytes(std::span(doubles))}},
                                               {"s", {DType::kI16, {2}, std::as_bytes(std::span(shorts))}}})
                  .has_value());
  const Safetensors file = Safetensors::open(folder / "x").value();
  EXPECT_EQ(file.floats("d").value(), (std::vector<float>{0.5f, -std::numeric_limits<float>::infinity()}));
  EXPECT_THAT(file.floats("s").error().message, HasSubstr("'s' is I16, wanted floats"));
  EXPECT_EQ(load_matrix(folder / "x", "").value().cols, 2u) << "the only matrix";
}

TEST(Safetensors, ASealedFileIsRefusedWhereverABitIsFlipped) {
  const TempFolder folder;
  const std::vector<std::int32_t> codes{0, 1, 1, 0};
  const std::map<std::string, Tensor> tensors{{"codes", make_tensor<std::int32_t>({2, 2}, codes)}};
  ASSERT_TRUE(write_safetensors(folder / "x", tensors, {{"k", "2"}}, Seal::kDigest).has_value());
  const Safetensors file = Safetensors::open(folder / "x").value();
  EXPECT_TRUE(file.sealed());
  EXPECT_EQ(file.metadata(), (Metadata{{"k", "2"}})) << "the seal is no metadata of the caller's";
  const std::string whole = read_file(folder / "x").value();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
    std::ofstream(folder / "y", std::ios::binary) << bytes;
    const auto read = Safetensors::open(folder / "y");
    if (!read) continue;
    // What is left: a flip in the name of the seal's own key. Who needs the seal asks for it.
    EXPECT_FALSE(read.value().sealed()) << "byte " << i;
    EXPECT_EQ(read.value().ints("codes").value(), codes) << "byte " << i;
  }
}

TEST(Safetensors, HeadersThatLieAreRefused) {
  const auto entry = [](const std::string& name, const std::string& type, const std::string& shape,
                        const std::string& at) {
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + at + "}";
  };
  EXPECT_THAT(error_of(""), HasSubstr("no .safetensors"));
  EXPECT_THAT(error_of(std::string(8, '\xff') + "{}"), HasSubstr("truncated"));
  EXPECT_THAT(error_of(with_header("[1]", 0)), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(with_header("{\"a\"", 0)), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 7)),
              HasSubstr("claims bytes [0, 8] of 7"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[2]", "[8,0]") + "}", 8)), HasSubstr("claims bytes"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[3]", "[0,8]") + "}", 8)), HasSubstr("shape [3]"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F3", "[8]", "[0,8]") + "}", 8)), HasSubstr("dtype F3"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[4611686018427387904,4]", "[0,0]") + "}", 0)),
              HasSubstr("shape"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[-2]", "[0,8]") + "}", 8)),
              HasSubstr("not a whole number"));
  EXPECT_THAT(error_of(with_header(
                  "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]", "[4,12]") + "}", 12)),
              HasSubstr("'b' overlaps"));
  EXPECT_THAT(error_of(with_header(
                  "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[1]", "[8,12]") + "}", 12)),
              HasSubstr("'b' leaves a hole"));
  EXPECT_THAT(error_of(with_header("{" + entry("a", "F32", "[1]", "[0,4]") + "}", 6)),
              HasSubstr("2 bytes after the last"));
  EXPECT_THAT(error_of(with_header("{\"a\":{\"dtype\":\"F32\"}}", 0)), HasSubstr("lacks"));
  EXPECT_THAT(error_of(with_header("{\"__metadata__\":{\"a\":1}}", 0)), HasSubstr("'a' is not a string"));
}

TEST(Safetensors, AShapeThatIsNestedDeepIsRefusedAndDoesNotOverflowTheStack) {
  const std::string shape = std::string(300'000, '[') + std::string(300'000, ']');
  const std::string json = "{\"a\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[0,4]}}";
  EXPECT_THAT(error_of(with_header(json, 4)), HasSubstr("shape holds array, not a whole number"));
}

TEST(Safetensors, EveryTruncationOfAFileIsRefused) {
  const TempFolder folder;
  const std::vector<float> values{1, 2, 3};
  ASSERT_TRUE(write_safetensors(folder / "x", {{"v", make_tensor<float>({3}, values)}}).has_value());
  const std::string whole = read_file(folder / "x").value();
  for (std::size_t n = 0; n < whole.size(); ++n) error_of(whole.substr(0, n));
}

}  // namespace
}  // namespace dyad::io
