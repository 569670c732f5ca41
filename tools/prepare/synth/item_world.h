#pragma once
// The items: which cluster each belongs to, how popular it is, what its text and its vector are. Clusters of one domain
// share a word, a category and a part of their vector, so that there is structure on two levels. Threads: immutable
// after construction.
#include <span>
#include <string>
#include <vector>
#include "common/base/random.h"
#include "common/data/types.h"

namespace dyad::synth {

class ItemWorld {
 public:
  // REQUIRES: 0 < clusters <= items.
  ItemWorld(std::uint32_t items, std::uint32_t clusters, double zipf, std::uint64_t seed);
  std::uint32_t items() const { return static_cast<std::uint32_t>(by_rank_.size()); }
  std::uint32_t clusters() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
  std::uint32_t cluster(ItemId item) const { return cluster_[item.value]; }
  std::span<const ItemId> members(std::uint32_t cluster) const;      // the most popular first
  ItemId draw(std::uint32_t cluster, double uniform) const;          // by Zipf; uniform in [0, 1)
  std::uint32_t draw_cluster(double uniform) const;                  // by Zipf over clusters
  // The item `steps` places behind `item` among its cluster's members, around the end.
  ItemId following(ItemId item, std::uint32_t steps) const;
  data::Item text(ItemId item) const;
  std::vector<float> vector(ItemId item, std::uint32_t width) const; // [width], unit length

 private:
  std::uint64_t seed_;
  std::vector<std::uint32_t> cluster_, place_;                       // of each item; its place among the members
  std::vector<std::size_t> begin_;                                   // CSR over by_rank_
  std::vector<ItemId> by_rank_;
  std::vector<double> cumulative_;                                   // beside by_rank_: from 0 to 1 within a cluster
  std::vector<double> cluster_cumulative_;
};

}  // namespace dyad::synth
