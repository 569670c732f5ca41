#pragma once
// Recall@k and NDCG@k of one relevant item a user (EAGER section 4.1), as sums, so that ranks add theirs up:
//   Recall@k = share of users whose item is among the first k;  NDCG@k = mean of 1 / log2(place + 2), places from 0.
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include "common/base/ids.h"

namespace dyad::worker {

inline constexpr std::array<int, 3> kCutoffs{5, 10, 20};

struct RankingMetrics {
  // users, hits at 5, 10, 20, gains at 5, 10, 20: what an all-reduce adds.
  std::array<double, 7> sums{};

  // place of the target, counted from 0; negative: not in the list.
  void add(long place) {
    sums[0] += 1;
    for (std::size_t i = 0; i < kCutoffs.size(); ++i) {
      if (place < 0 || place >= kCutoffs[i]) continue;
      sums[1 + i] += 1;
      sums[4 + i] += 1 / std::log2(static_cast<double>(place) + 2);
    }
  }
  void add(const RankingMetrics& other) { for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i]; }
  double users() const { return sums[0]; }
  double recall(std::size_t cutoff) const {
    return sums[0] > 0 ? sums[1 + cutoff] / sums[0] : 0;
  }  // index into kCutoffs
  double ndcg(std::size_t cutoff) const { return sums[0] > 0 ? sums[4 + cutoff] / sums[0] : 0; }
};

// Place of `target` in a list of candidates (anything with .item), -1 if it is not there.
template <class List> long place_of(const List& list, ItemId target) {
  long place = 0;
  for (const auto& candidate : list) {
    if (candidate.item == target) return place;
    ++place;
  }
  return -1;
}

}  // namespace dyad::worker
