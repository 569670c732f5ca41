#include "worker/batch/synthetic.h"
#include <algorithm>
#include <numeric>
#include "common/base/random.h"

namespace dyad::worker {
namespace {

// A random permutation of the items, cut evenly at each level; the last code numbers the items of one prefix.
data::Trie random_trie(const SyntheticOptions& o, std::uint64_t stream) {
  std::vector<std::uint32_t> place(o.items);
  std::iota(place.begin(), place.end(), 0u);
  KeyedRandom random(o.seed, 100 + stream);
  shuffle(place, random);
  std::size_t prefixes = 1;
  for (const std::size_t b : o.branch) prefixes *= b;
  const std::size_t levels = o.branch.size() + 1;
  std::vector<std::int32_t> codes(o.items * levels);
  for (std::size_t i = 0; i < o.items; ++i) {
    std::size_t prefix = place[i] % prefixes;
    for (std::size_t l = o.branch.size(); l-- > 0; prefix /= o.branch[l])
      codes[i * levels + l] = static_cast<std::int32_t>(prefix % o.branch[l]);
    codes[i * levels + levels - 1] = static_cast<std::int32_t>(place[i] / prefixes);
  }
  return data::Trie::build(codes, levels).value();
}

}  // namespace

SyntheticTask::SyntheticTask(const SyntheticOptions& options) : options_(options) {
  for (std::uint64_t s = 0; s < 2; ++s) tries_.push_back(random_trie(options_, s));
  options_.batch.history_max = options_.history_max;
  maker_.emplace_back(tries(), options_.batch);
}

std::vector<ItemId> SyntheticTask::history(std::size_t sample) const {
  KeyedRandom random(options_.seed, 1, sample);
  std::size_t length = 1;
  while (length < 9 && random.uniform() < 0.80) ++length;
  if (length == 9) length += random.below(12);
  length = std::min(length, options_.history_max);
  std::vector<ItemId> items;
  for (std::size_t t = 0; t < length; ++t)
    items.push_back(ItemId{static_cast<std::uint32_t>(random.below(options_.items))});
  return items;
}

ItemId SyntheticTask::target(std::size_t sample) const {
  return ItemId{static_cast<std::uint32_t>(KeyedRandom(options_.seed, 2, sample).below(options_.items))};
}

Batch SyntheticTask::batch(std::size_t first, std::size_t size) {
  std::vector<std::size_t> samples(size);
  std::iota(samples.begin(), samples.end(), first);
  return batch(samples);
}

Batch SyntheticTask::batch(std::span<const std::size_t> samples) {
  std::vector<std::vector<ItemId>> histories;
  std::vector<SampleView> views;
  for (const std::size_t s : samples) histories.push_back(history(s));
  for (std::size_t i = 0; i < samples.size(); ++i)
    views.push_back({histories[i], target(samples[i]), mix64(options_.seed, 3, samples[i])});
  Batch batch = maker_[0].make(views);
  batch.global_size = samples.size();
  return batch;
}

}  // namespace dyad::worker
