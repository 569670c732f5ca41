// codes build and report on a dataset folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/base/random.h"
#include "common/data/dataset_writer.h"
#include "common/data/trie.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/codes/build.h"
#include "tools/prepare/codes/report.h"

namespace dyad::codes {
namespace {

using testing::HasSubstr;
constexpr std::uint32_t kItems = 40;

class CodesFiles : public testing::Test {
 protected:
  CodesFiles() {
    auto writer = data::DatasetWriter::create(dir(), {}).value();
    std::vector<data::Item> items;
    for (std::uint32_t i = 0; i < kItems; ++i) {
      CHECK(writer.append({UserId{0}, ItemId{i}, i}).has_value());
      items.push_back({fmt::format("key{}", i), i % 5 ? fmt::format("title {}", i) : "", "", {}});
    }
    CHECK(writer.finish(items, std::vector<std::string>{"user"}).has_value());
    dataset_ = data::Dataset::open(dir()).value();
    write(kItems, 1);
  }
  std::filesystem::path dir() const { return folder_ / "d"; }
  // Rows around 4 centres: items i, i + 4, i + 8, ... are alike.
  void write(std::size_t rows, std::uint64_t seed, float broken = 0) {
    KeyedRandom random(seed);
    std::vector<float> values;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < 6; ++j)
        values.push_back((i % 4 == j ? 3.0f : 0.0f) + 0.2f * static_cast<float>(random.normal()));
    if (broken != 0) values[20] = broken;
    CHECK(io::write_safetensors(vectors_file(dir(), Stream::kSemantic),
                                {{"embedding", io::make_tensor<float>({rows, 6}, values)}})
              .has_value());
  }
  io::TempFolder folder_;
  data::Dataset dataset_;
};

TEST_F(CodesFiles, ABuildIsATrieWithMetadataAndTheSameBytesAgain) {
  const auto facts = build_codes(dataset_, Stream::kSemantic, {.k = 4}).value();
  EXPECT_EQ(facts.levels, 3u);
  const auto path = codes_file(dir(), Stream::kSemantic);
  const auto trie = data::Trie::read(io::Safetensors::open(path).value()).value();
  EXPECT_EQ(trie.items(), kItems);
  EXPECT_EQ(trie.levels(), 3u);
  const auto file = io::Safetensors::open(path).value();
  EXPECT_EQ(file.metadata().at("format"), "dyad-codes-2");
  EXPECT_TRUE(file.sealed());
  EXPECT_EQ(file.metadata().at("k"), "4");
  const auto codes = file.ints("codes").value();
  ASSERT_TRUE(build_codes(dataset_, Stream::kSemantic, {.k = 4, .threads = 3}).has_value());
  EXPECT_EQ(io::Safetensors::open(path).value().ints("codes").value(), codes);
  for (std::size_t i = 4; i < kItems; ++i)
    EXPECT_EQ(codes[3 * i], codes[3 * (i % 4)]) << "alike items share the first code";
}

TEST_F(CodesFiles, TheReportShowsBalanceTightnessTitlesAndStaleness) {
  ASSERT_TRUE(build_codes(dataset_, Stream::kSemantic, {.k = 4}).has_value());
  const auto report = report_codes(dataset_, Stream::kSemantic, {.clusters = 2, .titles = 3}).value();
  ASSERT_EQ(report.levels.size(), 3u);
  EXPECT_EQ(report.levels[0].clusters, 4u);
  EXPECT_EQ(report.levels[0].items_min, 10u);
  EXPECT_EQ(report.levels[0].items_max, 10u);
  EXPECT_GT(report.levels[0].similarity, 0.9);
  EXPECT_LT(report.levels[0].random_similarity, 0.3);
  EXPECT_EQ(report.levels[1].children_min, 4u);
  EXPECT_EQ(report.levels[2].items_max, 1u);
  ASSERT_EQ(report.samples.size(), 2u);
  EXPECT_EQ(report.samples[0].items, 10u);
  EXPECT_EQ(report.samples[0].titles.size(), 3u);
  EXPECT_FALSE(report.stale);
  EXPECT_THAT(to_text(report), HasSubstr("depth 3"));
  EXPECT_EQ(to_json(report)["levels"][0]["clusters"], 4);
  write(kItems, 2);
  EXPECT_TRUE(report_codes(dataset_, Stream::kSemantic, {}).value().stale);
}

TEST_F(CodesFiles, ErrorsNameTheFileAndWhatToDo) {
  const auto message = [&](Stream stream, const BuildOptions& options = {.k = 4}) {
    return build_codes(dataset_, stream, options).error().message;
  };
  EXPECT_THAT(message(Stream::kBehaviour), HasSubstr("dyad encode behaviour"));
  EXPECT_THAT(message(Stream::kSemantic, {.k = 1}), HasSubstr("k is 1"));
  EXPECT_THAT(report_codes(dataset_, Stream::kSemantic, {}).error().message, HasSubstr("dyad codes build"));
  write(kItems - 1, 1);
  EXPECT_THAT(message(Stream::kSemantic), HasSubstr("39 vectors, the catalogue has 40 items"));
  write(kItems, 1, std::numeric_limits<float>::infinity());
  EXPECT_THAT(message(Stream::kSemantic), HasSubstr("item 3 (key3) holds inf"));
}

TEST_F(CodesFiles, VectorsOfZerosAndCodesThatReplaceOthersAreTold) {
  EXPECT_FALSE(build_codes(dataset_, Stream::kSemantic, {.k = 4}).value().replaced) << "none were there";
  EXPECT_FALSE(build_codes(dataset_, Stream::kSemantic, {.k = 4}).value().replaced) << "the same again";
  EXPECT_TRUE(build_codes(dataset_, Stream::kSemantic, {.k = 8}).value().replaced);
  std::vector<float> values(std::size_t{kItems} * 2, 1);
  values[4] = values[5] = values[6] = values[7] = 0;
  CHECK(io::write_safetensors(vectors_file(dir(), Stream::kSemantic),
                              {{"embedding", io::make_tensor<float>({kItems, 2}, values)}})
            .has_value());
  const auto zeros = build_codes(dataset_, Stream::kSemantic, {.k = 4}).value().zeros;
  EXPECT_EQ(zeros, (std::vector<ItemId>{ItemId{2}, ItemId{3}}));
  EXPECT_THAT(zeros_text(dataset_, zeros), HasSubstr("2 of 40 items have a vector of zeros (key2, key3)"));
}

// What codes mean is checked where they are read, not in jobs alone.
TEST_F(CodesFiles, TheReportRefusesDamagedCodesAndTellsThoseMadeElsewhere) {
  ASSERT_TRUE(build_codes(dataset_, Stream::kSemantic, {.k = 4}).has_value());
  const auto path = codes_file(dir(), Stream::kSemantic);
  const auto codes = io::Safetensors::open(path).value().ints("codes").value();
  std::string bytes = io::read_file(path).value();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_TRUE(io::write_file_atomic(path, bytes).has_value());
  EXPECT_THAT(report_codes(dataset_, Stream::kSemantic, {}).error().message, HasSubstr("do not fit the digest"));
  ASSERT_TRUE(io::write_safetensors(path, {{"codes", io::make_tensor<std::int32_t>({kItems, 3}, codes)}}).has_value());
  const auto report = report_codes(dataset_, Stream::kSemantic, {}).value();
  EXPECT_FALSE(report.sealed);
  EXPECT_FALSE(report.stale);
  EXPECT_THAT(to_text(report), HasSubstr("made elsewhere"));
}

}  // namespace
}  // namespace dyad::codes
