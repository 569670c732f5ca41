#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include "worker/decode/beam_search.h"
#include "worker/decode/ranking_metrics.h"
#include "worker/model/toy_for_test.h"

namespace dyad::worker {
namespace {

RowTables tables(const Toy& toy) { return {toy.item, toy.code}; }

std::vector<std::vector<ItemId>> histories(const Toy& toy, std::size_t users) {
  std::vector<std::vector<ItemId>> out;
  for (std::size_t u = 0; u < users; ++u) out.push_back(toy.task.history(u));
  return out;
}

// log p of every item in both streams by the training loss: teacher-forced, no cache, no beams. [items][2]
std::vector<std::array<double, 2>> exhaustive(Toy& toy, Eager& model, const std::vector<ItemId>& history) {
  BatchMaker maker(toy.task.tries(), {.history_max = 8});
  std::vector<std::array<double, 2>> out;
  const auto levels = static_cast<std::int64_t>(toy.options.levels);
  at::NoGradGuard no_grad;
  for (std::uint32_t item = 0; item < toy.task.items(); ++item) {
    Batch batch = maker.make(std::vector<SampleView>{{history, ItemId{item}, 1}});
    batch.global_size = 1;
    const at::Tensor parts = model.evaluate(batch, toy.rows(batch)).parts;
    out.push_back(
        {-parts.narrow(0, 0, levels).sum().item<double>(), -parts.narrow(0, levels, levels).sum().item<double>()});
  }
  return out;
}

std::vector<std::uint32_t> order_by(const std::vector<std::array<double, 2>>& log_p,
                                    double (*score)(const std::array<double, 2>&)) {
  std::vector<std::uint32_t> order(log_p.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return score(log_p[a]) > score(log_p[b]); });
  return order;
}
double sum_of(const std::array<double, 2>& p) { return p[0] + p[1]; }
double own_of(const std::array<double, 2>& p) { return std::max(p[0], p[1]); }
double first_of(const std::array<double, 2>& p) { return p[0]; }
double second_of(const std::array<double, 2>& p) { return p[1]; }

template <class List> std::vector<std::uint32_t> items_of(const List& list) {
  std::vector<std::uint32_t> out;
  for (const auto& c : list) out.push_back(c.item.value);
  return out;
}

struct Case { std::vector<std::size_t> branch; bool kernels; };
class EveryTrie : public ::testing::TestWithParam<Case> {};

TEST_P(EveryTrie, BeamOfAllItemsIsExhaustiveScoring) {
  Toy toy(GetParam().branch);
  toy.options.kernels = GetParam().kernels;
  Eager model = toy.model();
  const auto users = histories(toy, 3);
  std::vector<std::vector<std::array<double, 2>>> want;
  for (const auto& history : users) want.push_back(exhaustive(toy, model, history));
  const BeamSearch search(model, tables(toy), toy.task.tries(), {.beams = 40, .top = 40});
  const auto got = search.run(users);
  for (std::size_t u = 0; u < users.size(); ++u) {
    EXPECT_EQ(items_of(got[u].by_sum), order_by(want[u], sum_of));
    EXPECT_EQ(items_of(got[u].by_own), order_by(want[u], own_of));
    EXPECT_EQ(items_of(got[u].stream[0]), order_by(want[u], first_of));
    EXPECT_EQ(items_of(got[u].stream[1]), order_by(want[u], second_of));
    for (const Candidate& c : got[u].by_sum)
      for (int s = 0; s < 2; ++s) EXPECT_NEAR(c.log_p[s], want[u][c.item.value][s], 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, EveryTrie,
                         ::testing::Values(Case{{}, true}, Case{{4}, true}, Case{{3, 3}, true}, Case{{3, 3}, false}));

// Narrow beams: what each stream finds is a part of all items, and whatever is merged carries the exact sum of both.
TEST(BeamSearch, NarrowBeamsScoreCandidatesExactlyInBothStreams) {
  Toy toy({3, 3});
  Eager model = toy.model();
  const auto users = histories(toy, 4);
  const BeamSearch search(model, tables(toy), toy.task.tries(), {.beams = 4, .top = 8});
  const auto got = search.run(users);
  std::size_t lone = 0;
  for (std::size_t u = 0; u < users.size(); ++u) {
    const auto want = exhaustive(toy, model, users[u]);
    std::set<std::uint32_t> found;
    for (int s = 0; s < 2; ++s) {
      ASSERT_EQ(got[u].stream[s].size(), 4u);
      for (const ScoredItem& x : got[u].stream[s]) {
        found.insert(x.item.value);
        EXPECT_NEAR(x.log_p, want[x.item.value][s], 1e-4);
      }
    }
    const auto items = items_of(got[u].by_sum);
    EXPECT_EQ(std::set<std::uint32_t>(items.begin(), items.end()), found);
    double last = 0;
    for (const Candidate& c : got[u].by_sum) {
      EXPECT_NEAR(c.score, sum_of(want[c.item.value]), 1e-4);
      EXPECT_LE(c.score, last);
      last = c.score;
      lone += c.found[0] != c.found[1];
    }
  }
  EXPECT_GT(lone, 0u) << "the case of a candidate that one stream alone found was not met";
}

// Candidates that are left unscored because their bound is too low never belonged to the list.
TEST(BeamSearch, ShortListsAreTheHeadOfLongOnes) {
  Toy toy({4});
  Eager model = toy.model();
  const auto users = histories(toy, 6);
  const auto long_lists = BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 8, .top = 40}).run(users);
  const auto short_lists = BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 8, .top = 3}).run(users);
  for (std::size_t u = 0; u < users.size(); ++u) {
    auto head = items_of(long_lists[u].by_sum);
    head.resize(3);
    EXPECT_EQ(items_of(short_lists[u].by_sum), head);
  }
}

// Trap: two leaves for one item filling the beam.
TEST(BeamSearch, NoItemComesTwice) {
  Toy toy({4});
  Eager model = toy.model();
  for (const Recommendation& r :
       BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 15, .top = 30}).run(histories(toy, 5)))
    for (const auto& items : {items_of(r.by_sum), items_of(r.by_own), items_of(r.stream[0]), items_of(r.stream[1])})
      EXPECT_EQ(std::set<std::uint32_t>(items.begin(), items.end()).size(), items.size());
}

// Left out are exactly those, and the others take their places: the list is as long and in the same order.
TEST(BeamSearch, DroppedItemsMakeRoomForOthers) {
  Toy toy({3, 3});
  Eager model = toy.model();
  const auto users = histories(toy, 4);
  const std::size_t items = toy.task.items();
  const auto all = BeamSearch(model, tables(toy), toy.task.tries(), {.beams = items, .top = items}).run(users);
  std::vector<std::vector<ItemId>> dropped(users.size());
  for (std::size_t u = 0; u + 1 < users.size(); ++u)             // the last user has everything left
    for (std::size_t i = 0; i < 12; ++i) dropped[u].push_back(all[u].by_sum[i].item);
  const auto kept =
      BeamSearch(model, tables(toy), toy.task.tries(), {.beams = items, .top = items}).run(users, dropped);
  for (std::size_t u = 0; u < users.size(); ++u) {
    auto want = items_of(all[u].by_sum);
    want.erase(want.begin(), want.begin() + static_cast<std::ptrdiff_t>(dropped[u].size()));
    EXPECT_EQ(items_of(kept[u].by_sum), want);
  }
  // Beams as narrow as the list, all of them on what is dropped without a mask: still as many others.
  const auto narrow = BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 5, .top = 5}).run(users, dropped);
  for (std::size_t u = 0; u < users.size(); ++u) {
    EXPECT_EQ(narrow[u].by_sum.size(), 5u);
    for (const Candidate& c : narrow[u].by_sum)
      EXPECT_EQ(std::count(dropped[u].begin(), dropped[u].end(), c.item), 0);
  }
}

TEST(BeamSearch, OfAUserWhoHasHadEverythingNothingIsLeft) {
  Toy toy({3, 3});
  Eager model = toy.model();
  const auto users = histories(toy, 2);
  std::vector<std::vector<ItemId>> dropped(2);
  for (std::uint32_t i = 0; i < toy.task.items(); ++i) dropped[0].push_back(ItemId{i});
  const auto found = BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 5, .top = 5}).run(users, dropped);
  EXPECT_TRUE(found[0].by_sum.empty());
  EXPECT_EQ(found[1].by_sum.size(), 5u);
}

TEST(BeamSearch, OwnTakesTheBestOfTheStreamsThatFoundIt) {
  Toy toy({4});
  Eager model = toy.model();
  for (const Recommendation& r :
       BeamSearch(model, tables(toy), toy.task.tries(), {.beams = 5, .top = 10}).run(histories(toy, 4)))
    for (const Candidate& c : r.by_own) {
      double best = -1e9;
      for (int s = 0; s < 2; ++s) {
        EXPECT_EQ(c.found[s], !std::isnan(c.log_p[s]));
        if (c.found[s]) best = std::max(best, c.log_p[s]);
      }
      EXPECT_EQ(c.score, best);
    }
}

TEST(BeamSearch, UsersTogetherAreUsersAlone) {
  Toy toy({3, 3});
  Eager model = toy.model();
  const auto users = histories(toy, 5);
  const BeamSearch search(model, tables(toy), toy.task.tries(), {.beams = 6, .top = 5});
  const auto together = search.run(users);
  for (std::size_t u = 0; u < users.size(); ++u)
    EXPECT_EQ(items_of(search.run(std::span(users).subspan(u, 1))[0].by_sum), items_of(together[u].by_sum));
}

TEST(BeamSearch, Bf16KeepsTheScores) {
  Toy toy({4});
  Eager exact = toy.model();
  toy.options.type = at::kBFloat16;
  Eager rough = toy.model();
  const auto users = histories(toy, 4);
  const BeamOptions options{.beams = 40, .top = 40};
  const auto a = BeamSearch(exact, tables(toy), toy.task.tries(), options).run(users);
  const auto b = BeamSearch(rough, tables(toy), toy.task.tries(), options).run(users);
  for (std::size_t u = 0; u < users.size(); ++u)
    for (const Candidate& c : a[u].by_sum)
      EXPECT_NEAR(c.score, b[u].by_sum[static_cast<std::size_t>(place_of(b[u].by_sum, c.item))].score, 0.15);
}

TEST(RankingMetrics, CountHitsAndGains) {
  RankingMetrics m, other;
  m.add(0);
  m.add(6);
  other.add(-1);
  other.add(19);
  m.add(other);
  EXPECT_DOUBLE_EQ(m.users(), 4);
  EXPECT_DOUBLE_EQ(m.recall(0), 0.25);
  EXPECT_DOUBLE_EQ(m.recall(1), 0.5);
  EXPECT_DOUBLE_EQ(m.recall(2), 0.75);
  EXPECT_DOUBLE_EQ(m.ndcg(0), 0.25);
  EXPECT_DOUBLE_EQ(m.ndcg(1), (1 + 1 / 3.0) / 4);
}

}  // namespace
}  // namespace dyad::worker
