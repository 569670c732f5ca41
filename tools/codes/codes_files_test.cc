// codes build and report on a dataset folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/base/random.h"
#include "common/data/dataset_writer.h"
#include "common/data/trie.h"
#include "common/io/safetensors.h"
#include "common/io/temp_folder.h"
#include "tools/codes/build.h"
#include "tools/codes/report.h"

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
};

TEST_F(CodesFiles, ABuildIsATrieWithMetadataAndTheSameBytesAgain) {
  const auto facts = build_codes(dir(), Stream::kSemantic, kItems, {.k = 4}).value();
  EXPECT_EQ(facts.levels, 3u);
  const auto path = codes_file(dir(), Stream::kSemantic);
  const auto trie = data::Trie::load(path).value();
  EXPECT_EQ(trie.items(), kItems);
  EXPECT_EQ(trie.levels(), 3u);
  const auto file = io::Safetensors::open(path).value();
  EXPECT_EQ(file.metadata().at("format"), "dyad-codes-1");
  EXPECT_EQ(file.metadata().at("k"), "4");
  const auto codes = file.ints("codes").value();
  ASSERT_TRUE(build_codes(dir(), Stream::kSemantic, kItems, {.k = 4, .threads = 3}).has_value());
  EXPECT_EQ(io::Safetensors::open(path).value().ints("codes").value(), codes);
  for (std::size_t i = 4; i < kItems; ++i)
    EXPECT_EQ(codes[3 * i], codes[3 * (i % 4)]) << "alike items share the first code";
}

TEST_F(CodesFiles, TheReportShowsBalanceTightnessTitlesAndStaleness) {
  ASSERT_TRUE(build_codes(dir(), Stream::kSemantic, kItems, {.k = 4}).has_value());
  const auto dataset = data::Dataset::open(dir()).value();
  const auto report = report_codes(dataset, Stream::kSemantic, {.clusters = 2, .titles = 3}).value();
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
  EXPECT_TRUE(report_codes(dataset, Stream::kSemantic, {}).value().stale);
}

TEST_F(CodesFiles, ErrorsNameTheFileAndWhatToDo) {
  const auto message = [&](Stream stream, const BuildOptions& options = {.k = 4}) {
    return build_codes(dir(), stream, kItems, options).error().message;
  };
  EXPECT_THAT(message(Stream::kBehaviour), HasSubstr("dyad encode behaviour"));
  EXPECT_THAT(message(Stream::kSemantic, {.k = 1}), HasSubstr("k is 1"));
  const auto dataset = data::Dataset::open(dir()).value();
  EXPECT_THAT(report_codes(dataset, Stream::kSemantic, {}).error().message, HasSubstr("dyad codes build"));
  write(kItems - 1, 1);
  EXPECT_THAT(message(Stream::kSemantic), HasSubstr("39 rows for 40 items"));
  write(kItems, 1, std::numeric_limits<float>::infinity());
  EXPECT_THAT(message(Stream::kSemantic), HasSubstr("item 3 holds inf"));
}

}  // namespace
}  // namespace dyad::codes
