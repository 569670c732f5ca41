#pragma once
// Beam search in one stream for a batch of users: level by level, each beam is expanded over the children that exist,
// and the best `beams` of a user's expansions go on. Every prefix that was expanded is kept, so that any other item can
// be scored exactly later, feeding only the prefixes that are missing. Threads: one owner. Ownership: borrows decoder
// and memory.
#include <unordered_map>
#include <unordered_set>
#include <vector>
#include "worker/decode/decoder.h"

namespace dyad::worker {

struct ScoredItem {
  ItemId item;
  double log_p = 0;
};
struct UserItem { std::uint32_t user; ItemId item; };

class StreamSearch {
 public:
  StreamSearch(const Decoder& decoder, int stream, const UserMemory& memory, std::size_t users);
  // At most `beams` items of each user, best first; equal scores in the order of nodes. None of `dropped`, a list for
  // each user, or none: a prefix that leads to those alone takes no beam, so that as many others are found.
  std::vector<std::vector<ScoredItem>> run(std::size_t beams, std::span<const std::vector<ItemId>> dropped = {});
  // What is known of log p(item | user) without computing: exact if all prefixes were expanded, else an upper bound.
  struct Bound { double log_p; bool exact; };
  Bound bound(UserItem pair) const;
  // Feeds every prefix of the items that is missing; bound() of them is exact then.
  void expand(std::span<const UserItem> pairs);

 private:
  struct State {
    std::int32_t row;
    std::size_t children;
  };  // its row in the cache; where its children's log p begin
  struct Expansion { std::uint32_t user; NodeId node; std::int32_t parent; double log_p; };
  static std::uint64_t key(std::uint32_t user, NodeId node) {
    return static_cast<std::uint64_t>(user) << 32 | node.value;
  }
  void feed(std::span<const Token> tokens);
  void bar(std::uint32_t user, std::span<const ItemId> items);
  std::vector<Expansion> best(std::span<const Expansion> from, std::size_t beams) const;

  const Decoder& decoder_;
  int stream_;
  const UserMemory& memory_;
  std::size_t users_;
  StreamCache cache_;
  std::vector<float> log_p_;                                         // of all children of all states
  std::unordered_map<std::uint64_t, State> states_;                  // (user, node); looked up, never walked
  std::unordered_set<std::uint64_t> barred_;                         // (user, node): all its items are dropped
};

}  // namespace dyad::worker
