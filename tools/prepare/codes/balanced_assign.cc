#include "tools/prepare/codes/balanced_assign.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include "common/base/check.h"
#include "tools/prepare/codes/rebalance.h"
#include "tools/prepare/codes/similarity.h"

namespace dyad::codes {
namespace {

constexpr std::size_t kAllUpTo = std::size_t{1} << 24;   // items * K: up to here every centre is a candidate (100 MB)
constexpr std::size_t kFew = 12;                         // candidates of an item beyond that
constexpr std::size_t kBlock = 256;                      // rows of products in flight: [256, K] floats a thread
constexpr std::size_t kCountBlock = 1 << 15;

// The `m` largest of s - price by insertion: most centres fail the comparison with the m-th.
void select_few(const float* s, std::span<const float> prices, std::size_t m, float* similarity,
                std::uint16_t* centre) {
  float value[kFew];
  std::size_t n = 0;
  for (std::size_t c = 0; c < prices.size(); ++c) {
    const float v = s[c] - prices[c];
    if (n == m && v <= value[m - 1]) continue;
    std::size_t at = n < m ? n++ : m - 1;
    for (; at > 0 && value[at - 1] < v; --at) {
      value[at] = value[at - 1]; similarity[at] = similarity[at - 1]; centre[at] = centre[at - 1];
    }
    value[at] = v; similarity[at] = s[c]; centre[at] = static_cast<std::uint16_t>(c);
  }
}

// The candidate with the largest similarity - price; the first of equals.
std::size_t best_candidate(const Candidates& candidates, std::size_t item, std::span<const float> prices) {
  const auto s = candidates.similarities(item);
  const auto c = candidates.centres(item);
  std::size_t best = 0;
  float value = s[0] - prices[c[0]];
  for (std::size_t j = 1; j < s.size(); ++j) {
    const float v = s[j] - prices[c[j]];
    if (v > value) { value = v; best = j; }
  }
  return best;
}

std::vector<std::uint32_t> sizes_at(const Candidates& candidates, std::span<const float> prices, unsigned threads) {
  const std::size_t blocks = (candidates.items + kCountBlock - 1) / kCountBlock, k = candidates.clusters;
  std::vector<std::uint32_t> partial(blocks * k), sizes(k);
  parallel_for(blocks, threads, [&](std::size_t b) {
    for (std::size_t i = b * kCountBlock; i < std::min(candidates.items, (b + 1) * kCountBlock); ++i)
      ++partial[b * k + candidates.centres(i)[best_candidate(candidates, i, prices)]];
  });
  for (std::size_t b = 0; b < blocks; ++b)
    for (std::size_t c = 0; c < k; ++c) sizes[c] += partial[b * k + c];
  return sizes;
}

// How far prices reach at first: the mean distance between an item's best and middling candidate, a tenth of it.
float first_step(const Candidates& candidates) {
  const std::size_t n = std::min<std::size_t>(candidates.items, 1000), stride = candidates.items / n;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto s = candidates.similarities(i * stride);
    const float mean = std::accumulate(s.begin(), s.end(), 0.0f) / static_cast<float>(s.size());
    sum += *std::max_element(s.begin(), s.end()) - mean;
  }
  return static_cast<float>(0.1 * sum / static_cast<double>(n)) + 1e-6f;
}

}  // namespace

Candidates find_candidates(MatrixView items, MatrixView centres, std::span<const float> prices, Keep keep,
                           unsigned threads) {
  const std::size_t k = centres.rows;
  const bool all = k <= kFew || (keep == Keep::kAllIfSmall && items.rows * k <= kAllUpTo);
  Candidates out{.items = items.rows, .per_item = all ? k : kFew, .clusters = k};
  out.similarity.resize(out.items * out.per_item);
  out.centre.resize(out.items * out.per_item);
  const PackedCentres packed(centres);
  parallel_for((items.rows + kBlock - 1) / kBlock, threads, [&](std::size_t b) {
    const std::size_t first = b * kBlock, n = std::min(kBlock, items.rows - first);
    std::vector<float> block(n * packed.stride());
    packed.products(items, first, n, block.data());
    for (std::size_t i = 0; i < n; ++i) {
      const float* s = block.data() + i * packed.stride();
      float* similarity = out.similarity.data() + (first + i) * out.per_item;
      std::uint16_t* centre = out.centre.data() + (first + i) * out.per_item;
      if (out.per_item < k) {
        select_few(s, prices, out.per_item, similarity, centre);
      } else {
        std::copy_n(s, k, similarity);
        std::iota(centre, centre + k, std::uint16_t{0});
      }
    }
  });
  return out;
}

// Each price has its own step, which grows while the size stays on one side of the target and halves when it crosses
// (the Rprop rule): no scale of similarities to guess. The prices of the best-balanced pass win.
Assignment assign_by_price(const Candidates& candidates, std::vector<float>& prices, int passes, unsigned threads) {
  const std::size_t k = candidates.clusters;
  const double target = static_cast<double>(candidates.items) / static_cast<double>(k);
  std::vector<float> step(k, first_step(candidates)), best = prices;
  std::vector<int> side(k, 0);
  double least = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < passes; ++pass) {
    const auto sizes = sizes_at(candidates, prices, threads);
    double imbalance = 0;
    for (std::size_t c = 0; c < k; ++c) imbalance += std::max(0.0, std::abs(sizes[c] - target) - 1);
    if (imbalance < least) { least = imbalance; best = prices; }
    if (imbalance == 0) break;
    for (std::size_t c = 0; c < k; ++c) {
      const int now = sizes[c] > target + 0.5 ? 1 : sizes[c] < target - 0.5 ? -1 : 0;
      if (now * side[c] > 0) step[c] *= 1.3f;
      if (now * side[c] < 0) step[c] *= 0.5f;
      if (now) side[c] = now;
      prices[c] += step[c] * static_cast<float>(now);
    }
  }
  prices = best;
  Assignment out;
  out.cluster.resize(candidates.items);
  for (std::size_t i = 0; i < candidates.items; ++i) {
    const std::size_t j = best_candidate(candidates, i, prices);
    out.cluster[i] = candidates.centres(i)[j];
    out.similarity += candidates.similarities(i)[j];
  }
  return out;
}

Assignment assign_balanced(const Candidates& candidates, MatrixView items, MatrixView centres,
                           std::vector<float>& prices, int passes, unsigned threads) {
  Assignment out = assign_by_price(candidates, prices, passes, threads);
  Rebalance(candidates, items, centres, out.cluster).run();
  out.similarity = 0;
  for (std::size_t i = 0; i < candidates.items; ++i)
    out.similarity += std::inner_product(items.row(i), items.row(i) + items.cols, centres.row(out.cluster[i]), 0.0f);
  return out;
}

}  // namespace dyad::codes
