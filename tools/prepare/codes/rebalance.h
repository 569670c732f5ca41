#pragma once
// Step 2 of balanced_assign.h: from roughly balanced clusters to sizes that differ by at most one, at the least loss.
// The graph: a node per cluster; the edge c -> c' costs the least similarity lost by moving one item of c to c'
// (negative edges exist, negative cycles do not, as the clusters are optimal for their sizes). One augmentation moves
// one unit from a cluster with too many items to one with too few along the cheapest chain, by Bellman-Ford; the
// clusters between keep their size. Threads: one.  Ownership: borrows everything; writes `cluster`.
#include <span>
#include "tools/prepare/codes/balanced_assign.h"

namespace dyad::codes {

class Rebalance {
 public:
  Rebalance(const Candidates& candidates, MatrixView items, MatrixView centres, std::vector<std::uint32_t>& cluster);
  void run();                                                   // ENSURES: sizes differ by at most one

 private:
  struct Move { float loss; std::uint32_t item, to; };
  std::size_t excess() const;   // items above the largest size allowed or below the least
  float similarity(std::size_t item, std::size_t centre) const;
  void refresh(std::size_t from);                               // the edges that leave a cluster
  void move(std::size_t item, std::size_t to);
  // Moves one unit along the cheapest path from a cluster of `sources` to one of `targets`; false if there is none that
  // loses less than `loss_below`.
  bool augment(const std::vector<bool>& sources, const std::vector<bool>& targets, float loss_below);
  bool walk_back(std::size_t target, std::span<const std::uint32_t> before);
  // augment() from the clusters larger than `sources_above` to those smaller than `targets_below`.
  bool settle(std::size_t sources_above, std::size_t targets_below, float loss_below);
  bool any_above() const;                                       // is a cluster larger than large_?
  void shed_in_bulk(std::size_t limit);                         // greedily, until at most `limit` items are in excess
  std::vector<Move> moves_to_room(bool all_centres) const;

  const Candidates& candidates_;
  MatrixView items_, centres_;
  std::vector<std::uint32_t>& cluster_;
  std::vector<std::vector<std::uint32_t>> members_;             // [K], ascending
  std::vector<float> edge_loss_;                                // [K, K]; infinite where no item can go
  std::vector<std::uint32_t> edge_item_;
  std::vector<bool> stale_;                                     // [K]: edges to recompute
  std::size_t k_, small_, large_;                               // sizes allowed
};

}  // namespace dyad::codes
