#include "common/io/npy.h"

#include <gtest/gtest.h>
#include <cstring>
#include <fstream>
#include "common/io/half_bits.h"
#include "common/io/temp_folder.h"

namespace dyad::io {
namespace {

template <class T> std::string npy(int version, const std::string& dict, const std::vector<T>& values) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(version);
  text += '\0';
  const auto bytes = static_cast<std::uint32_t>(dict.size());
  text.append(reinterpret_cast<const char*>(&bytes), version == 1 ? 2 : 4);
  text += dict;
  return text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

Result<Matrix> read_text(const std::string& text) {
  const TempFolder folder;
  std::ofstream(folder / "x.npy", std::ios::binary) << text;
  return read_npy(folder / "x.npy");
}

TEST(Npy, ReadsTheThreeWidthsAndBothVersions) {
  const std::string shape = "'fortran_order': False, 'shape': (2, 3), }";
  const std::vector<float> want{0.5f, -1, 2, 3, 4, 5};
  const Matrix single = read_text(npy<float>(1, "{'descr': '<f4', " + shape, want)).value();
  EXPECT_EQ(single.rows, 2u);
  EXPECT_EQ(single.cols, 3u);
  EXPECT_EQ(single.values, want);
  EXPECT_EQ(read_text(npy<double>(2, "{'descr': '<f8', " + shape, {0.5, -1, 2, 3, 4, 5})).value().values, want);
  std::vector<std::uint16_t> halves;
  for (const float v : want) halves.push_back(float_to_half(v));
  EXPECT_EQ(read_text(npy(1, "{'descr': '<f2', " + shape, halves)).value().values, want);
}

TEST(Npy, ReadsFortranOrderAndTheOtherByteOrder) {
  const std::vector<float> want{0.5f, -1, 2, 3, 4, 5}, columns{0.5f, 3, -1, 4, 2, 5};
  const std::string turned = "'fortran_order': True, 'shape': (2, 3), }", plain =
      "'fortran_order': False, 'shape': (2, 3), }";
  EXPECT_EQ(read_text(npy<float>(1, "{'descr': '<f4', " + turned, columns)).value().values, want);
  EXPECT_EQ(read_text(npy<float>(3, "{'descr': '<f4', " + plain, want)).value().values, want);
  std::vector<std::uint32_t> swapped;
  for (const float v : want) swapped.push_back(__builtin_bswap32(std::bit_cast<std::uint32_t>(v)));
  EXPECT_EQ(read_text(npy(1, "{'descr': '>f4', " + plain, swapped)).value().values, want);
  std::vector<std::uint64_t> wide;
  for (const float v : columns) wide.push_back(__builtin_bswap64(std::bit_cast<std::uint64_t>(double{v})));
  EXPECT_EQ(read_text(npy(1, "{'descr': '>f8', " + turned, wide)).value().values, want);
}

// A list of 40 numbers was taken for 40 vectors of one.
TEST(Npy, RefusesOneDimensionAndSaysHowToGiveTwo) {
  const auto read = read_text(npy<float>(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }",
                                         std::vector<float>(6, 1.0f)));
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().message.find("shape (6)"), std::string::npos) << read.error().message;
  EXPECT_NE(read.error().message.find("reshape"), std::string::npos) << read.error().message;
}

TEST(Npy, RefusesWhatItDoesNotReadAndNamesTheFile) {
  const std::vector<float> six(6, 1.0f);
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string bad[] = {
      "",
      "\x93NUMPY",
      npy(4, good, six),
      npy<float>(1, good, {1, 2}),
      npy<std::int64_t>(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }", {1}),
      npy(1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 3), }", six),
      npy(1, "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", six),
      npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 3), }", six),
      npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", six),
      npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (x), }", six),
      npy(1, "{}", six)};
  for (const std::string& text : bad) {
    const auto read = read_text(text);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Code::kInvalid);
    EXPECT_NE(read.error().message.find("x.npy"), std::string::npos) << read.error().message;
  }
}

TEST(Half, EveryHalfSurvivesTheRoundTripAndTiesGoToEven) {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const auto bits = static_cast<std::uint16_t>(h);
    const float value = half_to_float(bits);
    if (value != value) continue;   // NaN keeps being one, not its bits
    ASSERT_EQ(float_to_half(value), bits) << h;
    const _Float16 by_compiler = std::bit_cast<_Float16>(bits);
    ASSERT_EQ(static_cast<float>(by_compiler), value) << h;
  }
  for (std::uint32_t i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(i * 2147u);
    if (value != value) continue;
    ASSERT_EQ(float_to_half(value), std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) << value;
  }
  EXPECT_EQ(bfloat16_to_float(float_to_bfloat16(1.00390625f)), 1.0f);       // halfway, to even
  EXPECT_EQ(bfloat16_to_float(float_to_bfloat16(1.01171875f)), 1.015625f);  // halfway, to even
}

}  // namespace
}  // namespace dyad::io
