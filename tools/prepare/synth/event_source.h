#pragma once
// The events, one after the other in the order of time. Each event takes a user in proportion to the events that user
// still has to come (so every user gets the count fixed at the start, and users interleave), then an item:
//   drift          : the user's interest moves, half the time to a neighbouring cluster, else to any (by popularity)
//   1/2            : the item 1 to 3 places behind the user's last one in its cluster, if that is of the interest (what
//   a
//                    sequence model can learn and a popularity count can't)
//   otherwise      : an item of the cluster by Zipf; one time in ten of any cluster
// Threads: one.  Memory: 12 bytes a user.
#include "tools/prepare/synth/item_world.h"
#include "tools/prepare/synth/synth.h"

namespace dyad::synth {

class EventSource {
 public:
  EventSource(const ItemWorld& world, const Options& options);
  data::Event next();                                        // REQUIRES: called at most options.events times

 private:
  UserId take_user();
  ItemId choose_item(UserId user);

  const ItemWorld& world_;
  Options options_;
  KeyedRandom random_;
  std::vector<std::uint32_t> left_;                          // a Fenwick tree over users: events still to come
  std::vector<std::uint32_t> interest_, last_;               // a user's cluster; a user's last item + 1
  std::uint64_t done_ = 0;
};

}  // namespace dyad::synth
