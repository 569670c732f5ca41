// Ranking measures, popularity, and a SASRec on sequences with a rule to learn.
#include <gtest/gtest.h>
#include <cmath>
#include <nlohmann/json.hpp>
#include "common/data/dataset_writer.h"
#include "common/data/samples.h"
#include "common/io/temp_folder.h"
#include "tools/baseline/popularity.h"
#include "tools/baseline/sasrec.h"

namespace dyad::baseline {
namespace {

TEST(Ranking, RecallAndNdcgFollowTheirFormulas) {
  Ranking r;
  for (const std::size_t rank : {0, 4, 5, 30}) r.add(rank);
  EXPECT_DOUBLE_EQ(r.recall(5), 0.5);
  EXPECT_DOUBLE_EQ(r.recall(10), 0.75);
  EXPECT_DOUBLE_EQ(r.ndcg(5), (1 + 1 / std::log2(6.0)) / 4);
  EXPECT_DOUBLE_EQ(r.ndcg(20), (1 + 1 / std::log2(6.0) + 1 / std::log2(7.0)) / 4);
  EXPECT_DOUBLE_EQ(r.to_json()["recall@20"], 0.75);
}

TEST(Ranking, EqualScoresRankByItem) {
  const std::vector<float> scores{1, 3, 3, 2, 3};
  EXPECT_EQ(rank_of(scores, 1), 0u);
  EXPECT_EQ(rank_of(scores, 4), 2u);
  EXPECT_EQ(rank_of(scores, 3), 3u);
  EXPECT_EQ(rank_of(scores, 0), 4u);
}

// Each user's items follow the rule next = item + step of the user's kind (mod items): the last item alone does not
// tell.
data::Dataset walks(const std::filesystem::path& dir, std::uint32_t users, std::uint32_t items, std::uint32_t length) {
  auto writer = data::DatasetWriter::create(dir, {}).value();
  std::vector<std::string> keys;
  for (std::uint32_t u = 0; u < users; ++u) {
    for (std::uint32_t i = 0; i < length; ++i)
      CHECK(writer.append({UserId{u}, ItemId{(u + i * (1 + u % 2)) % items}, i}).has_value());
    keys.push_back(fmt::format("u{}", u));
  }
  std::vector<data::Item> list(items);
  for (std::uint32_t i = 0; i < items; ++i) list[i].key = fmt::format("i{}", i);
  CHECK(writer.finish(list, keys).has_value());
  return data::Dataset::open(dir).value();
}

TEST(Popularity, CountsTheTrainingPartAlone) {
  const io::TempFolder folder;
  auto writer = data::DatasetWriter::create(folder / "d", {}).value();
  // user 0: 2 2 1 | 0 | 3.   user 1: 2 1 0 | 3 | 3.   Training counts: item 2 three, 1 two, 0 one, 3 none.
  for (const auto& [u, i, t] : {std::tuple{0, 2, 0},
                                {0, 2, 1},
                                {0, 1, 2},
                                {0, 0, 3},
                                {0, 3, 4},
                                {1, 2, 0},
                                {1, 1, 1},
                                {1, 0, 2},
                                {1, 3, 3},
                                {1, 3, 4}})
    CHECK(writer.append({UserId{static_cast<std::uint32_t>(u)}, ItemId{static_cast<std::uint32_t>(i)}, t}).has_value());
  std::vector<data::Item> items(8);
  for (int i = 0; i < 8; ++i) items[i].key = fmt::format("i{}", i);
  CHECK(writer.finish(items, std::vector<std::string>{"a", "b"}).has_value());
  const auto dataset = data::Dataset::open(folder / "d").value();
  const auto validation = rank_by_popularity(dataset, data::Split::kValidation);   // ranks 2 and 3
  EXPECT_EQ(validation.users(), 2u);
  EXPECT_DOUBLE_EQ(validation.ndcg(5), (1 / std::log2(4.0) + 1 / std::log2(5.0)) / 2);
  EXPECT_DOUBLE_EQ(rank_by_popularity(dataset, data::Split::kTest).ndcg(5), 1 / std::log2(5.0));
}

TEST(SasRec, LearnsARuleThatNeedsTwoItemsOfHistory) {
  const io::TempFolder folder;
  const auto dataset = walks(folder / "d", 240, 40, 12);
  SasRecOptions o{.dim = 32, .history = 6, .batch = 32, .epochs = 12, .patience = 12, .dropout = 0.1, .lr = 3e-3};
  std::vector<SasRecEpoch> epochs;
  const auto result = run_sasrec(dataset, o, [&](const SasRecEpoch& e) { epochs.push_back(e); }).value();
  EXPECT_LT(epochs.back().loss, epochs.front().loss);
  EXPECT_GT(result.test.ndcg(10), 0.9);
  EXPECT_EQ(result.test.users(), 240u);
  double best = 0;
  for (const auto& e : epochs) best = std::max(best, e.validation.ndcg(10));
  EXPECT_EQ(result.validation.ndcg(10), best);
  EXPECT_EQ(epochs[static_cast<std::size_t>(result.best_epoch) - 1].validation.ndcg(10), best);
}

TEST(SasRec, IsAFunctionOfItsSeed) {
  const io::TempFolder folder;
  const auto dataset = walks(folder / "d", 60, 20, 8);
  const auto loss = [&](std::uint64_t seed) {
    double last = 0;
    EXPECT_TRUE(run_sasrec(dataset, {.dim = 8, .batch = 16, .epochs = 2, .seed = seed}, [&](const SasRecEpoch& e) {
                  last = e.loss;
                }).has_value());
    return last;
  };
  const double first = loss(1);
  EXPECT_EQ(first, loss(1));
  EXPECT_NE(first, loss(2));
  EXPECT_EQ(run_sasrec(dataset, {.dim = 9}).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace dyad::baseline
