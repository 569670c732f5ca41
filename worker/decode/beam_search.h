#pragma once
// Inference of EAGER (section 3.5): beam search in both streams, their candidates merged by item and ranked by
// log-probability, highest first.
//   sum: log p_behaviour + log p_semantic; a candidate that one stream alone found is scored exactly in the other
//   own: the best log p among the streams that found it
// Intuition for the cost of `sum`: log-probabilities only fall along a path, so what is known of a candidate's path in
// the other stream bounds its sum; only candidates whose bound reaches the n-th best known sum are scored. Threads: one
// owner. Results depend on neither batch nor order of users up to rounding of matrix products.
#include <string>
#include "worker/decode/stream_search.h"

namespace dyad::worker {

struct BeamOptions {
  std::size_t beams = 100;                   // in each stream
  std::size_t top = 20;                      // length of the lists
};

struct Candidate {
  ItemId item;
  double score = 0;                          // what the list is ranked by
  std::array<double, 2> log_p{};             // behaviour, semantic; NaN where that stream was not asked
  std::array<bool, 2> found{};               // by beam search of that stream
};

struct Recommendation {                      // of one user; each list best first, at most `top`, no item twice
  std::vector<Candidate> by_sum, by_own;
  std::array<std::vector<ScoredItem>, 2> stream;   // each stream's own ranking
  const std::vector<Candidate>& ranked(const std::string& rank) const { return rank == "own" ? by_own : by_sum; }
};

class BeamSearch {
 public:
  BeamSearch(Eager& model, const RowTables& rows, std::array<const data::Trie*, 2> tries, const BeamOptions& options);
  // Histories oldest first, each 1 item or more. `dropped`: items that no list of a user may hold; none.
  std::vector<Recommendation> run(std::span<const std::vector<ItemId>> histories,
                                  std::span<const std::vector<ItemId>> dropped = {}) const;

 private:
  using Found = std::array<std::vector<std::vector<ScoredItem>>, 2>;
  void rank_by_own(std::uint32_t user, const Found& found, Recommendation& out) const;
  std::vector<Candidate> candidates(std::uint32_t user, const Found& found) const;
  // Splits a user's candidates: those with both scores stay, those that could still reach the list join `ask`.
  void score_known(std::uint32_t user, std::array<StreamSearch, 2>& search, std::vector<Candidate>& candidates,
                   std::array<std::vector<UserItem>, 2>& ask) const;
  Decoder decoder_;
  BeamOptions options_;
};

}  // namespace dyad::worker
