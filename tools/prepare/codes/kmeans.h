#pragma once
// Hierarchical balanced k-means (EAGER section 3.2): a cluster splits evenly into K children, until a leaf holds one
// item.
// Every leaf lies at one depth L, the least with K^L >= items. Sizes of siblings differ by at most one. The last level
// only tells the at most K items of a cluster apart: code 0 is the item nearest the cluster's centre.
//
// Objective: the sum of squared distances to the means, of unit rows: the mean cosine between items of a cluster.
// Cost: a level costs rounds * items * (2 d K flops + 24 m) with m candidates an item (balanced_assign.h), whatever its
// number of clusters; L - 1 levels are clustered. 12,101 x 96, K = 256: 1 level. 10 million x 128, K = 256: 2 levels of
// 655 GFLOP a round. Memory beyond the rows: 6 m bytes an item at the first level (m = 12 from 65,536 items up), and a
// copy of one cluster's rows a thread below it. 200,000 x 128, K = 256, three levels: 10 s on 2 cores.
// Threads: `threads` of its own; the result does not depend on their number.
#include <cstdint>
#include <functional>
#include <vector>
#include "tools/prepare/codes/matrix.h"

namespace dyad::codes {

struct KMeansOptions {
  std::uint32_t k = 256;
  std::uint64_t seed = 1;
  int rounds = 20;                                 // of centres at each level; stops early when the gain is below 1e-4
  unsigned threads = 1;
};

struct Codes {
  std::size_t items = 0, levels = 0;
  std::vector<std::int32_t> values;                // [items, levels]
};

std::size_t depth_of(std::size_t items, std::uint32_t k);    // the least L >= 1 with k^L >= items

// One split: the cluster in [0, K) of each row.   REQUIRES: rows.rows >= K.
std::vector<std::uint32_t> balanced_kmeans(MatrixView rows, const KMeansOptions& options);
// All levels. `progress(done, of)` hears of each cluster that was split, from any thread, one at a time.
Codes hierarchical_codes(MatrixView rows, const KMeansOptions& options,
                         const std::function<void(std::size_t, std::size_t)>& progress = {});

}  // namespace dyad::codes
