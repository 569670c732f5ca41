#pragma once
// Items to K clusters of equal size (they differ by at most one) so that the sum of similarities is as large as
// possible:
// the transportation problem. Two steps:
//  1. Prices (the dual variables): each item takes the centre with the largest similarity - price; a centre with too
//     many items gets dearer, one with too few cheaper. A few dozen cheap passes bring the sizes within some per cent.
//  2. Exact sizes by shortest augmenting paths over the K clusters: moving an item from c to c' loses
//     (s_ic - p_c) - (s_ic' - p_c') >= 0; the cheapest chain of moves from a cluster that is too large to one that is
//     too small is a shortest path. Given the prices and all candidates this is the optimum; the usual greedy pass
//     (most decided item first, to the next centre with room) strands the last items far away.
// Cost: n m a pass of step 1 (m candidates an item), K^2 + a few (n / K) m for each item that step 2 moves.
// Memory: 6 n m bytes of candidates, 8 K^2 of edges. Threads: pure functions; deterministic.
#include <cstdint>
#include <limits>
#include <span>
#include <vector>
#include "tools/prepare/codes/matrix.h"

namespace dyad::codes {

struct Candidates {                                // the m best centres of each item, in no particular order
  std::size_t items = 0, per_item = 0, clusters = 0;
  std::vector<float> similarity;                   // [items, per_item]
  std::vector<std::uint16_t> centre;               // [items, per_item]
  std::span<const float> similarities(std::size_t i) const { return {similarity.data() + i * per_item, per_item}; }
  std::span<const std::uint16_t> centres(std::size_t i) const { return {centre.data() + i * per_item, per_item}; }
};

// The best few centres of each item under `prices`, or all of them, if wanted, while items * K is small.
enum class Keep { kFew, kAllIfSmall };
Candidates find_candidates(MatrixView items, MatrixView centres, std::span<const float> prices, Keep keep,
                           unsigned threads);

struct Assignment {
  std::vector<std::uint32_t> cluster;              // [items]
  double similarity = 0;                           // sum over items of the similarity to its centre
};

// Step 1: moves `prices` [K] towards balance by `passes` passes and assigns by them. Sizes are roughly equal.
Assignment assign_by_price(const Candidates& candidates, std::vector<float>& prices, int passes, unsigned threads);
// Steps 1 and 2. ENSURES: sizes differ by at most one. `items` and `centres` serve items none of whose candidates has
// room.
Assignment assign_balanced(const Candidates& candidates, MatrixView items, MatrixView centres,
                           std::vector<float>& prices, int passes, unsigned threads);

}  // namespace dyad::codes
