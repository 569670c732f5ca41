// Behaviour vectors: the factored co-occurrence matrix, DIN, and the measure that compares them.
#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include "common/base/random.h"
#include "tools/prepare/encode/cooccurrence.h"
#include "tools/prepare/encode/din.h"

namespace dyad::encode {
namespace {

// Users of one of `groups` tastes, who take items of their group alone.
Histories tastes(std::size_t users, std::size_t groups, std::size_t per_group) {
  Histories out{.items = groups * per_group};
  for (std::size_t u = 0; u < users; ++u) {
    KeyedRandom random(9, u);
    const auto take = [&] { return static_cast<std::uint32_t>(u % groups * per_group + random.below(per_group)); };
    auto& train = out.train.emplace_back();
    for (std::size_t i = 0; i < 4 + u % 5; ++i) train.push_back(take());
    out.next.emplace_back(train.back(), (train.back() % per_group + 1) % per_group + u % groups * per_group);
  }
  return out;
}

double cosine(const io::Matrix& rows, std::size_t a, std::size_t b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t j = 0; j < rows.cols; ++j) {
    dot += rows.row(a)[j] * rows.row(b)[j];
    aa += rows.row(a)[j] * rows.row(a)[j];
    bb += rows.row(b)[j] * rows.row(b)[j];
  }
  return dot / std::sqrt(aa * bb);
}

// Mean cosine inside groups less that between them.
double separation(const io::Matrix& rows, std::size_t per_group) {
  double inside = 0, between = 0, n_inside = 0, n_between = 0;
  for (std::size_t a = 0; a < rows.rows; ++a)
    for (std::size_t b = 0; b < a; ++b) {
      (a / per_group == b / per_group ? inside : between) += cosine(rows, a, b);
      (a / per_group == b / per_group ? n_inside : n_between) += 1;
    }
  return inside / n_inside - between / n_between;
}

TEST(NeighbourRecall, CountsTheNextItemAmongTheNearest) {
  io::Matrix rows{4, 2, {1, 0, 0.9f, 0.1f, 0, 1, -1, -1}};
  EXPECT_EQ(neighbour_recall(rows, {{0, 1}}, 1, 1), 1.0);
  EXPECT_EQ(neighbour_recall(rows, {{0, 1}, {0, 2}}, 1, 2), 0.5);
  EXPECT_EQ(neighbour_recall(rows, {{0, 0}}, 3, 1), 0.0);               // itself is no neighbour
  EXPECT_EQ(neighbour_recall(rows, {}, 3, 1), 0.0);
}

// Two items that always follow each other, one pair a user: the matrix is diagonal in blocks of two, its eigenvectors
// known.
TEST(Cooccurrence, GivesTheEigenvectorsOfAKnownMatrix) {
  Histories h{.items = 4, .train = {{0, 1}, {0, 1}, {2, 3}}, .next = {}};
  const auto rows = cooccurrence_vectors(h, {.width = 4, .window = 5});
  // c01 = 2, c23 = 1, sum 6: ppmi01 = log(2 * 6^.75 / 4^.75), ppmi23 = log(6^.75); vectors |l| v: |x0| = ppmi01 (both
  // signs of l)
  const auto length = [&](std::size_t i) {
    return std::sqrt(std::inner_product(rows.row(i).begin(), rows.row(i).end(), rows.row(i).begin(), 0.0));
  };
  EXPECT_NEAR(length(0), std::log(2 * std::pow(6.0, 0.75) / std::pow(4.0, 0.75)), 1e-4);
  EXPECT_NEAR(length(2), 0.75 * std::log(6.0), 1e-4);
  EXPECT_NEAR(cosine(rows, 0, 2), 0, 1e-4);
}

TEST(Din, FindsTheTastesFromRandomRows) {
  const auto h = tastes(300, 6, 10);
  std::vector<DinEpoch> epochs;
  const auto rows = train_din(h,
                              {.dim = 16,
                               .hidden = 8,
                               .batch = 64,
                               .negatives = 16,
                               .epochs = 6,
                               .row_lr = 2e-2,
                               .cooccurrence_init = false},
                              [&](const DinEpoch& e) { epochs.push_back(e); })
                        .value()
                        .rows;
  ASSERT_EQ(epochs.size(), 7u);
  EXPECT_LT(epochs.back().loss, epochs[1].loss);
  EXPECT_GT(separation(rows, 10), 0.4);
}

// The last epoch's were kept, also where training had made them worse.
TEST(Din, KeepsTheEpochThatFindsMostNextItems) {
  const auto h = tastes(600, 6, 80);                                    // more of a taste than neighbours are counted
  const auto run = [&](double row_lr, std::vector<DinEpoch>& epochs) {
    return train_din(h, {.dim = 16, .batch = 64, .negatives = 16, .epochs = 4, .row_lr = row_lr},
                     [&](const DinEpoch& e) { epochs.push_back(e); })
        .value();
  };
  for (const double row_lr : {3e-3, 3.0}) {                             // the second throws the rows about
    std::vector<DinEpoch> epochs;
    const auto kept = run(row_lr, epochs);
    ASSERT_EQ(epochs.size(), 5u);
    const auto best = *std::ranges::max_element(epochs, {}, &DinEpoch::recall);
    EXPECT_EQ(kept.kept.recall, best.recall);
    EXPECT_EQ(neighbour_recall(kept.rows, h.next, 50, 1), best.recall) << "the rows are those of that epoch";
    if (row_lr > 1) { EXPECT_EQ(kept.kept.epoch, 0) << "training made them worse: the start is kept"; }
    EXPECT_EQ(run(row_lr, epochs).rows.values, kept.rows.values);
  }
}

TEST(Din, IsAFunctionOfItsSeed) {
  const auto h = tastes(100, 4, 8);
  const auto run = [&](std::uint64_t seed) {
    return train_din(h, {.dim = 8, .hidden = 4, .batch = 32, .negatives = 8, .epochs = 2, .seed = seed},
                     [](const DinEpoch&) {})
        .value()
        .rows.values;
  };
  const auto first = run(1);
  EXPECT_EQ(first, run(1));
  EXPECT_NE(first, run(2));
}

TEST(Din, HasTheSameBitsForEveryNumberOfThreads) {
  const auto h = tastes(600, 6, 40);                                    // several pieces of history rows a step
  const auto run = [&](unsigned threads) {
    return train_din(h, {.dim = 32, .negatives = 40, .epochs = 2, .threads = threads}, [](const DinEpoch&) {})
        .value()
        .rows.values;
  };
  const auto one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(5), one);
}

TEST(Din, RefusesALogWithNothingToLearn) {
  const Histories h{.items = 3, .train = {{0}, {1}}, .next = {}};
  EXPECT_EQ(train_din(h, {.epochs = 1}, [](const DinEpoch&) {}).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace dyad::encode
