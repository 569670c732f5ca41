#pragma once
// Leave-one-out measures over the full catalogue: nothing sampled, seen items not removed.
// Recall@k: was the target among the first k; NDCG@k: 1 / log2(rank + 2) if so, rank from 0. Threads: plain data.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <nlohmann/json_fwd.hpp>

namespace dyad::baseline {

inline constexpr std::array<std::size_t, 3> kCuts{5, 10, 20};

class Ranking {
 public:
  void add(std::size_t rank);                                 // of one user's target, 0: first
  std::size_t users() const { return users_; }
  double recall(std::size_t cut) const;                       // REQUIRES: cut is one of kCuts
  double ndcg(std::size_t cut) const;
  std::string to_text() const;                                // one line
  nlohmann::json to_json() const;                             // {"recall@5": .., ..., "ndcg@20": ..}

 private:
  std::size_t users_ = 0;
  std::array<double, kCuts.size()> hits_{}, gain_{};
};

// How many items come before `target`: larger scores, and equal ones of a smaller id.
std::size_t rank_of(std::span<const float> scores, std::uint32_t target);

}  // namespace dyad::baseline
