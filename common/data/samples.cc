#include "common/data/samples.h"

#include <algorithm>
#include <bit>
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

// Calls visit(user, target) for each sample of a split, user by user.
template <class Visit> void visit_targets(const Dataset& dataset, Split split, const Visit& visit) {
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const auto [first, last] = targets(dataset.sequence(UserId{u}).size(), split);
    for (std::size_t t = first; t < last; ++t) visit(UserId{u}, t);
  }
}

// A set of positions that tells how many of its members come before one: a bit an event, and a count for each 64.
class PositionSet {
 public:
  explicit PositionSet(const Dataset& dataset) : bits_(dataset.events() / 64 + 1), before_(bits_.size()) {
    for (std::uint32_t u = 0; u < dataset.users(); ++u) {
      const std::size_t n = dataset.sequence(UserId{u}).size();
      if (n == 0) continue;
      const std::size_t p = dataset.position(UserId{u}, 0).partition.value;    // of all of a user's events
      if (begin_.size() < p + 2) begin_.resize(p + 2);
      begin_[p + 1] += n;
    }
    for (std::size_t p = 1; p < begin_.size(); ++p) begin_[p] += begin_[p - 1];
  }
  void insert(const Position& position) {
    const std::size_t i = index(position);
    bits_[i / 64] |= std::uint64_t{1} << i % 64;
  }
  std::size_t count() {                                      // of all; after it ranks can be asked for
    std::size_t n = 0;
    for (std::size_t w = 0; w < bits_.size(); n += static_cast<std::size_t>(std::popcount(bits_[w++]))) before_[w] = n;
    return n;
  }
  std::size_t rank(const Position& position) const {
    const std::size_t i = index(position);
    return before_[i / 64] +
           static_cast<std::size_t>(std::popcount(bits_[i / 64] & ((std::uint64_t{1} << i % 64) - 1)));
  }

 private:
  std::size_t index(const Position& position) const { return begin_[position.partition.value] + position.offset; }

  std::vector<std::size_t> begin_;                           // of each partition: positions are dense
  std::vector<std::uint64_t> bits_;
  std::vector<std::size_t> before_;
};

}  // namespace

// Positions are dense, so log order needs no sort: each sample goes to the place that its position's rank names.
std::vector<Sample> samples(const Dataset& dataset, Split split) {
  PositionSet set(dataset);
  visit_targets(dataset, split, [&](UserId user, std::size_t t) { set.insert(dataset.position(user, t)); });
  std::vector<Sample> out(set.count());
  std::size_t count = 0;
  visit_targets(dataset, split, [&](UserId user, std::size_t t) {
    const Position position = dataset.position(user, t);
    out[set.rank(position)] = {user, static_cast<std::uint32_t>(t), position};
    ++count;
  });
  CHECK_EQ(out.size(), count);
  return out;
}

std::span<const ItemId> history(const Dataset& dataset, const Sample& sample, std::size_t history_max) {
  const std::size_t n = std::min<std::size_t>(sample.target, history_max);
  return dataset.sequence(sample.user).subspan(sample.target - n, n);
}

}  // namespace dyad::data
