#include <algorithm>
#include "common/base/check.h"
#include "common/data/dataset.h"

namespace dyad::data {
namespace {

// The targets [begin, end) of a split in a sequence of n events.
std::pair<std::size_t, std::size_t> targets(std::size_t n, Split split) {
  if (n < 3) return {1, split == Split::kTrain ? std::max<std::size_t>(n, 1) : 1};
  if (split == Split::kTrain) return {1, n - 2};
  return split == Split::kValidation ? std::pair(n - 2, n - 1) : std::pair(n - 1, n);
}

}  // namespace

// Positions are dense, so log order needs no sort: each sample goes to the place that its position names.
std::vector<Sample> samples(const Dataset& dataset, Split split) {
  std::vector<std::size_t> begin(1, 0);                        // of each partition in `by_position`
  for (std::uint32_t u = 0; u < dataset.users(); ++u)
    for (const Position& position : dataset.positions(UserId{u})) {
      if (begin.size() < position.partition.value + 2) begin.resize(position.partition.value + 2, 0);
      ++begin[position.partition.value + 1];
    }
  for (std::size_t p = 1; p < begin.size(); ++p) begin[p] += begin[p - 1];
  std::vector<Sample> by_position(dataset.events());           // target 0: no sample
  std::size_t count = 0;
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const std::span<const Position> positions = dataset.positions(UserId{u});
    const auto [first, last] = targets(positions.size(), split);
    for (std::size_t t = first; t < last; ++t, ++count)
      by_position[begin[positions[t].partition.value] + positions[t].offset] = {
          UserId{u}, static_cast<std::uint32_t>(t), positions[t]};
  }
  std::vector<Sample> out;
  out.reserve(count);
  for (const Sample& sample : by_position)
    if (sample.target != 0) out.push_back(sample);
  CHECK_EQ(out.size(), count);
  return out;
}

std::span<const ItemId> history(const Dataset& dataset, const Sample& sample, std::size_t history_max) {
  const std::size_t n = std::min<std::size_t>(sample.target, history_max);
  return dataset.sequence(sample.user).subspan(sample.target - n, n);
}

}  // namespace dyad::data
