#include "worker/batch/batch_maker.h"
#include <algorithm>
#include <cmath>
#include "common/base/check.h"
#include "common/base/random.h"

namespace dyad::worker {

class KeyedDraws : public KeyedRandom {
 public:
  using KeyedRandom::KeyedRandom;
  // `count` different levels of `levels`, ascending.
  void levels(std::size_t count, std::size_t levels, std::int32_t* out) {
    std::size_t got = 0;
    for (std::size_t i = 0; i < levels; ++i)                 // selection sampling: each subset equally likely
      if (below(levels - i) < count - got) out[got++] = static_cast<std::int32_t>(i);
  }
};

namespace {
enum Purpose : std::uint64_t { kMask = 1, kReplace = 2, kNegative = 3, kHistory = 4 };

std::vector<std::uint32_t> level_begins(const data::Trie& trie) {
  std::vector<std::uint32_t> begin{1};
  for (std::size_t i = 1; i < trie.levels(); ++i) begin.push_back(trie.child_begin(NodeId{begin.back()}).value);
  begin.push_back(static_cast<std::uint32_t>(trie.nodes()));
  return begin;
}
}  // namespace

BatchMaker::BatchMaker(std::array<const data::Trie*, 2> tries, const BatchOptions& options)
    : tries_(tries), options_(options) {
  CHECK_EQ(tries[0]->levels(), tries[1]->levels());
  CHECK_EQ(tries[0]->items(), tries[1]->items());
  items_.stamp.resize(tries[0]->items());
  items_.slot.resize(tries[0]->items());
  for (int s = 0; s < 2; ++s) {
    nodes_[s].stamp.resize(tries[s]->nodes());
    nodes_[s].slot.resize(tries[s]->nodes());
  }
  level_begin_ = level_begins(*tries[0]);
}

std::size_t BatchMaker::count_of(double rate, std::size_t levels) {
  const auto count = static_cast<std::size_t>(std::llround(rate * static_cast<double>(levels)));
  return std::min(levels, std::max<std::size_t>(1, count));
}

Batch BatchMaker::make(std::span<const SampleView> samples) {
  Batch batch;
  batch.size = samples.size();
  batch.levels = tries_[0]->levels();
  ++now_;
  for (const SampleView& sample : samples) {
    batch.target.push_back(sample.target);
    batch.sample_seed.push_back(sample.seed);
  }
  fill_history(samples, batch);
  drawn_.clear();
  if (options_.transfer) draw_transfer(samples, batch);
  for (int s = 0; s < 2; ++s) fill_stream(samples, s, batch);
  return batch;
}

// The last items of each history, less those that history_dropout leaves out.
std::vector<std::span<const ItemId>> BatchMaker::kept_histories(std::span<const SampleView> samples) {
  std::vector<std::span<const ItemId>> out;
  for (const SampleView& sample : samples)
    out.push_back(sample.history.last(std::min(sample.history.size(), options_.history_max)));
  if (options_.history_dropout == 0) return out;
  kept_.clear();
  kept_.reserve(samples.size() * options_.history_max);      // the spans below stay valid
  for (std::size_t b = 0; b < samples.size(); ++b) {
    KeyedRandom draws(samples[b].seed, kHistory);
    const std::size_t begin = kept_.size();
    for (const ItemId item : out[b]) if (draws.uniform() >= options_.history_dropout) kept_.push_back(item);
    if (kept_.size() == begin && !out[b].empty()) kept_.push_back(out[b].back());
    out[b] = std::span(kept_).subspan(begin);
  }
  return out;
}

void BatchMaker::fill_history(std::span<const SampleView> samples, Batch& batch) {
  const auto histories = kept_histories(samples);
  for (const auto& history : histories) {
    batch.history_size.push_back(static_cast<std::int32_t>(history.size()));
    batch.length = std::max(batch.length, history.size());
    for (const ItemId item : history) {
      if (items_.stamp[item.value] == now_) continue;
      items_.stamp[item.value] = now_;
      batch.item_keys.push_back(RowKey{item.value});
    }
  }
  std::sort(batch.item_keys.begin(), batch.item_keys.end());
  for (std::size_t i = 0; i < batch.item_keys.size(); ++i)
    items_.slot[batch.item_keys[i].value] = static_cast<std::int32_t>(i);
  batch.history.assign(batch.size * batch.length, -1);
  for (std::size_t b = 0; b < batch.size; ++b) {
    std::int32_t* row = batch.history.data() + (b + 1) * batch.length - histories[b].size();
    for (const ItemId item : histories[b]) *row++ = items_.slot[item.value];
  }
}

// A node of the same level, uniform over all but `node`; `node` itself where it is the only one.
NodeId BatchMaker::other_node(std::size_t level, NodeId node, KeyedDraws& draws) const {
  const std::uint32_t begin = level_begin_[level], count = level_begin_[level + 1] - begin;
  if (count < 2) return node;
  std::uint32_t drawn = begin + static_cast<std::uint32_t>(draws.below(count - 1));
  if (drawn >= node.value) ++drawn;
  return NodeId{drawn};
}

void BatchMaker::draw_transfer(std::span<const SampleView> samples, Batch& batch) {
  TransferBatch& t = batch.transfer;
  t.masked_count = count_of(options_.mask_rate, batch.levels);
  t.replaced_count = count_of(options_.replace_rate, batch.levels);
  t.negative_count = options_.negatives;
  t.masked.resize(batch.size * t.masked_count);
  t.replaced.resize(batch.size * t.replaced_count);
  std::vector<NodeId> negatives;
  for (std::size_t b = 0; b < batch.size; ++b) {
    const auto path = tries_[0]->path(samples[b].target);
    KeyedDraws mask(samples[b].seed, kMask), replace(samples[b].seed, kReplace), negative(samples[b].seed, kNegative);
    std::int32_t* masked = t.masked.data() + b * t.masked_count;
    std::int32_t* replaced = t.replaced.data() + b * t.replaced_count;
    mask.levels(t.masked_count, batch.levels, masked);
    replace.levels(t.replaced_count, batch.levels, replaced);
    for (std::size_t i = 0; i < t.replaced_count; ++i) {
      const auto level = static_cast<std::size_t>(replaced[i]);
      drawn_.push_back(other_node(level, path[level], replace));
    }
    for (std::size_t i = 0; i < t.masked_count * t.negative_count; ++i) {
      const auto level = static_cast<std::size_t>(masked[i / t.negative_count]);
      negatives.push_back(other_node(level, path[level], negative));
    }
  }
  drawn_.insert(drawn_.end(), negatives.begin(), negatives.end());
}

// The union of the children of every node on the samples' paths (and, for the behaviour stream, of the drawn nodes),
// ascending: children of ascending parents are ascending, so sorting the few block begins is enough.
void BatchMaker::collect_nodes(std::span<const SampleView> samples, int s, Batch& batch) {
  const data::Trie& trie = *tries_[s];
  Stamps& nodes = nodes_[s];
  auto& kept = batch.stream[s].nodes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> runs;      // [begin, end) of nodes
  const auto add = [&](std::uint32_t begin, std::uint32_t end) {
    if (nodes.stamp[begin] == now_) return;
    std::fill(nodes.stamp.begin() + begin, nodes.stamp.begin() + end, now_);
    runs.emplace_back(begin, end);
  };
  for (const SampleView& sample : samples) {
    NodeId parent{0};
    for (const NodeId node : trie.path(sample.target)) {
      add(trie.child_begin(parent).value, trie.child_end(parent).value);
      parent = node;
    }
  }
  if (s == 0) for (const NodeId node : drawn_) add(node.value, node.value + 1);   // after the blocks, so none is cut
  std::sort(runs.begin(), runs.end());
  for (const auto& [begin, end] : runs)
    for (std::uint32_t node = begin; node < end; ++node) {
      nodes.slot[node] = static_cast<std::int32_t>(kept.size());
      kept.push_back(NodeId{node});
    }
}

// The rows' keys beside the nodes, and the order in which they go over the wire: sorted here, on the producer's thread.
void BatchMaker::name_rows(const data::Trie& trie, StreamBatch& stream) {
  std::vector<std::uint64_t> order;                               // key (nodes are counted in 32 bits), then index
  order.reserve(stream.nodes.size());
  stream.keys.reserve(stream.nodes.size());
  for (const NodeId node : stream.nodes) {
    const RowKey key = trie.key(node);
    order.push_back(key.value << 32 | stream.keys.size());
    stream.keys.push_back(key);
  }
  std::sort(order.begin(), order.end());
  stream.by_key.reserve(order.size());
  for (const std::uint64_t packed : order) stream.by_key.push_back(static_cast<std::uint32_t>(packed));
}

void BatchMaker::fill_stream(std::span<const SampleView> samples, int s, Batch& batch) {
  collect_nodes(samples, s, batch);
  const data::Trie& trie = *tries_[s];
  const auto& slot = nodes_[s].slot;
  StreamBatch& stream = batch.stream[s];
  name_rows(trie, stream);
  for (const SampleView& sample : samples) {
    NodeId parent{0};
    for (const NodeId node : trie.path(sample.target)) {
      const std::int32_t begin = slot[trie.child_begin(parent).value];
      stream.code.push_back(slot[node.value]);
      stream.child_begin.push_back(begin);
      stream.child_end.push_back(
          begin + static_cast<std::int32_t>(trie.child_end(parent).value - trie.child_begin(parent).value));
      parent = node;
    }
  }
  if (s != 0 || !options_.transfer) return;
  TransferBatch& t = batch.transfer;
  const std::size_t replacements = batch.size * t.replaced_count;
  for (std::size_t i = 0; i < drawn_.size(); ++i)
    (i < replacements ? t.replacement : t.negative).push_back(slot[drawn_[i].value]);
}

}  // namespace dyad::worker
