#include "worker/batch/batch_maker.h"
#include <gtest/gtest.h>
#include <algorithm>
#include <set>
#include "worker/batch/synthetic.h"

namespace dyad::worker {
namespace {

SyntheticOptions small(std::vector<std::size_t> branch = {4}) {
  return {.items = 40, .branch = std::move(branch), .seed = 7};
}

TEST(BatchMaker, KeysAreAscendingAndUnique) {
  SyntheticTask task(small({3, 3}));
  const Batch batch = task.batch(0, 12);
  const auto ascending = [](const auto& keys) {
    return std::adjacent_find(keys.begin(), keys.end(), [](auto a, auto b) { return a >= b; }) == keys.end();
  };
  EXPECT_TRUE(ascending(batch.item_keys));
  for (std::size_t s = 0; s < 2; ++s) {
    const StreamBatch& stream = batch.stream[s];
    EXPECT_TRUE(ascending(stream.nodes));
    std::vector<RowKey> keys;
    for (const std::uint32_t i : stream.by_key) keys.push_back(stream.keys[i]);
    EXPECT_TRUE(ascending(keys));
    ASSERT_EQ(keys.size(), stream.nodes.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
      EXPECT_EQ(stream.keys[i], task.trie(static_cast<int>(s)).key(stream.nodes[i]));
  }
}

TEST(BatchMaker, EachLevelsSoftmaxCoversExactlyTheChildrenThatExist) {
  SyntheticTask task(small({3, 3}));
  const Batch batch = task.batch(0, 12);
  for (int s = 0; s < 2; ++s) {
    const data::Trie& trie = task.trie(s);
    const StreamBatch& stream = batch.stream[s];
    for (std::size_t b = 0; b < batch.size; ++b) {
      NodeId parent{0};
      for (std::size_t l = 0; l < 3; ++l) {
        const std::size_t i = b * 3 + l;
        const NodeId node = trie.path(batch.target[b])[l];
        std::vector<std::uint64_t> got, want;
        for (auto k = stream.child_begin[i]; k < stream.child_end[i]; ++k) got.push_back(stream.nodes[k].value);
        for (auto n = trie.child_begin(parent).value; n < trie.child_end(parent).value; ++n) want.push_back(n);
        EXPECT_EQ(got, want);
        EXPECT_EQ(stream.nodes[stream.code[i]], node);
        parent = node;
      }
    }
  }
}

// Trap: a second code read from a first-level row.
TEST(BatchMaker, TheRowOfASecondCodeIsThatOfItsPrefix) {
  SyntheticTask task(small());
  const Batch batch = task.batch(0, 20);
  const data::Trie& trie = task.trie(1);
  const std::uint32_t first_leaf = trie.child_begin(NodeId{1}).value;
  for (std::size_t b = 0; b < batch.size; ++b) {
    const NodeId y1 = batch.stream[1].nodes[batch.stream[1].code[b * 2]];
    const NodeId y2 = batch.stream[1].nodes[batch.stream[1].code[b * 2 + 1]];
    EXPECT_LT(y1.value, first_leaf);
    EXPECT_GE(y2.value, first_leaf);
    EXPECT_EQ(trie.parent(y2), y1);
  }
}

TEST(BatchMaker, HistoriesKeepTimeOrderAndEndAtTheRight) {
  SyntheticTask task(small());
  const Batch batch = task.batch(0, 30);
  for (std::size_t b = 0; b < batch.size; ++b) {
    const auto history = task.history(b);
    const std::int32_t* row = batch.history.data() + b * batch.length;
    ASSERT_EQ(static_cast<std::size_t>(batch.history_size[b]), history.size());
    for (std::size_t t = 0; t < batch.length - history.size(); ++t) EXPECT_EQ(row[t], -1);
    for (std::size_t t = 0; t < history.size(); ++t)
      EXPECT_EQ(batch.item_keys[row[batch.length - history.size() + t]].value, history[t].value);
  }
}

TEST(BatchMaker, LongHistoriesKeepTheirLastItems) {
  SyntheticOptions options = small();
  options.history_max = 3;
  SyntheticTask task(options);
  BatchMaker maker(task.tries(), options.batch.history_max > 3 ? BatchOptions{.history_max = 3} : options.batch);
  const std::vector<ItemId> items{ItemId{1}, ItemId{2}, ItemId{3}, ItemId{4}, ItemId{5}};
  const Batch batch = maker.make(std::vector<SampleView>{{items, ItemId{6}, 1}});
  ASSERT_EQ(batch.length, 3u);
  EXPECT_EQ(batch.item_keys[batch.history[0]].value, 3u);
  EXPECT_EQ(batch.item_keys[batch.history[2]].value, 5u);
}

TEST(BatchMaker, HistoryDropoutLeavesOutItsShareKeepsOrderAndAtLeastOneItem) {
  SyntheticTask task(small());
  BatchMaker maker(task.tries(), {.history_dropout = 0.75});
  std::vector<ItemId> items;
  for (std::uint32_t i = 0; i < 20; ++i) items.push_back(ItemId{i});
  std::vector<SampleView> samples;
  for (std::uint64_t seed = 0; seed < 400; ++seed) samples.push_back({items, ItemId{30}, seed});
  samples.push_back({std::span(items).first(1), ItemId{30}, 1});
  const Batch batch = maker.make(samples);
  std::size_t kept = 0;
  for (std::size_t b = 0; b < samples.size(); ++b) {
    const auto n = static_cast<std::size_t>(batch.history_size[b]);
    ASSERT_GE(n, 1u);
    const std::int32_t* end = batch.history.data() + (b + 1) * batch.length;
    EXPECT_TRUE(std::is_sorted(end - n, end));               // the items of these histories ascend with time
    kept += n;
  }
  EXPECT_NEAR(static_cast<double>(kept) / (400 * 20), 0.25, 0.02);
}

TEST(BatchMaker, DrawsDoNotDependOnWhoElseIsInTheBatch) {
  SyntheticOptions options = small({3, 3});
  options.batch.negatives = 2;
  SyntheticTask task(options);
  const Batch all = task.batch(0, 8);
  const std::vector<std::size_t> odd{1, 3, 5, 7};
  const Batch part = task.batch(odd);
  const TransferBatch &a = all.transfer, &p = part.transfer;
  for (std::size_t i = 0; i < odd.size(); ++i) {
    for (std::size_t j = 0; j < a.masked_count; ++j)
      EXPECT_EQ(a.masked[odd[i] * a.masked_count + j], p.masked[i * p.masked_count + j]);
    for (std::size_t j = 0; j < a.replaced_count; ++j)
      EXPECT_EQ(all.stream[0].keys[a.replacement[odd[i] * a.replaced_count + j]],
                part.stream[0].keys[p.replacement[i * p.replaced_count + j]]);
    const std::size_t n = a.masked_count * 2;
    for (std::size_t j = 0; j < n; ++j)
      EXPECT_EQ(all.stream[0].keys[a.negative[odd[i] * n + j]], part.stream[0].keys[p.negative[i * n + j]]);
  }
}

TEST(BatchMaker, ReplacementsAreOtherNodesOfTheSameLevel) {
  SyntheticTask task(small({3, 3}));
  const Batch batch = task.batch(0, 40);
  const data::Trie& trie = task.trie(0);
  const auto depth = [&](NodeId n) { int d = 0; for (; n.value != 0; n = trie.parent(n)) ++d; return d; };
  std::set<std::int32_t> levels;
  for (std::size_t i = 0; i < batch.transfer.replaced.size(); ++i) {
    const std::size_t b = i / batch.transfer.replaced_count;
    const auto level = batch.transfer.replaced[i];
    const NodeId node = batch.stream[0].nodes[batch.transfer.replacement[i]];
    EXPECT_EQ(depth(node), level + 1);
    EXPECT_NE(node, trie.path(batch.target[b])[level]);
    levels.insert(level);
  }
  EXPECT_EQ(levels.size(), 3u);
}

TEST(BatchMaker, MaskedCountIsTheRateOfTheLevelsButAtLeastOne) {
  EXPECT_EQ(BatchMaker::count_of(0.5, 2), 1u);
  EXPECT_EQ(BatchMaker::count_of(0.5, 4), 2u);
  EXPECT_EQ(BatchMaker::count_of(0.1, 2), 1u);
  EXPECT_EQ(BatchMaker::count_of(1.0, 3), 3u);
}

}  // namespace
}  // namespace dyad::worker
