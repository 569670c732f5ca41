#include "worker/decode/stream_search.h"
#include <algorithm>

namespace dyad::worker {

StreamSearch::StreamSearch(const Decoder& decoder, int stream, const UserMemory& memory, std::size_t users)
    : decoder_(decoder), stream_(stream), memory_(memory), users_(users) {}

void StreamSearch::feed(std::span<const Token> tokens) {
  const auto first = static_cast<std::int32_t>(cache_.parent.size());
  const at::Tensor hidden = decoder_.step(stream_, tokens, memory_, cache_);
  const at::Tensor children = decoder_.child_log_p(stream_, tokens, hidden);
  std::size_t at = log_p_.size();
  const float* values = children.const_data_ptr<float>();
  log_p_.insert(log_p_.end(), values, values + children.numel());
  const data::Trie& trie = decoder_.trie(stream_);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    states_[key(tokens[i].user, tokens[i].node)] = {first + static_cast<std::int32_t>(i), at};
    at += trie.child_end(tokens[i].node).value - trie.child_begin(tokens[i].node).value;
  }
}

// From the leaves up: a node is barred when all its children are.
void StreamSearch::bar(std::uint32_t user, std::span<const ItemId> items) {
  const data::Trie& trie = decoder_.trie(stream_);
  for (const ItemId item : items)
    for (std::size_t level = trie.levels(); level-- > 0;) {
      const NodeId node = trie.path(item)[level];
      bool all = true;
      if (level + 1 < trie.levels())
        for (std::uint32_t c = trie.child_begin(node).value; all && c < trie.child_end(node).value; ++c)
          all = barred_.contains(key(user, NodeId{c}));
      if (!all) break;
      barred_.insert(key(user, node));
    }
}

// All children of the states in `from`, cut to each user's best. `from` has users ascending, and so has the result.
std::vector<StreamSearch::Expansion> StreamSearch::best(std::span<const Expansion> from, std::size_t beams) const {
  const data::Trie& trie = decoder_.trie(stream_);
  const auto better = [](const Expansion& a, const Expansion& b) {
    return a.log_p != b.log_p ? a.log_p > b.log_p : a.node < b.node;
  };
  std::vector<Expansion> out, mine;
  for (std::size_t i = 0; i < from.size();) {
    mine.clear();
    const std::uint32_t user = from[i].user;
    for (; i < from.size() && from[i].user == user; ++i) {
      const State& state = states_.at(key(user, from[i].node));
      const std::uint32_t begin = trie.child_begin(from[i].node).value, end = trie.child_end(from[i].node).value;
      for (std::uint32_t c = begin; c < end; ++c)
        if (barred_.empty() || !barred_.contains(key(user, NodeId{c})))
          mine.push_back(
              {user, NodeId{c}, state.row, from[i].log_p + static_cast<double>(log_p_[state.children + c - begin])});
    }
    if (mine.empty()) continue;                                      // of a user who has had everything
    const std::size_t kept = std::min(beams, mine.size());
    std::nth_element(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(kept - 1), mine.end(), better);
    std::sort(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(kept), better);
    out.insert(out.end(), mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(kept));
  }
  return out;
}

std::vector<std::vector<ScoredItem>> StreamSearch::run(std::size_t beams,
                                                       std::span<const std::vector<ItemId>> dropped) {
  for (std::uint32_t u = 0; u < dropped.size(); ++u) bar(u, dropped[u]);
  std::vector<Expansion> now;
  for (std::uint32_t u = 0; u < users_; ++u) now.push_back({u, NodeId{0}, -1, 0});
  const data::Trie& trie = decoder_.trie(stream_);
  for (std::size_t level = 0; level < trie.levels() && !now.empty(); ++level) {
    std::vector<Token> tokens;
    for (const Expansion& e : now) tokens.push_back({e.user, e.node, e.parent});
    feed(tokens);
    now = best(now, beams);
  }
  std::vector<std::vector<ScoredItem>> out(users_);
  for (const Expansion& e : now) out[e.user].push_back({trie.item(e.node), e.log_p});
  return out;
}

StreamSearch::Bound StreamSearch::bound(UserItem pair) const {
  const data::Trie& trie = decoder_.trie(stream_);
  double log_p = 0;
  NodeId parent{0};
  for (const NodeId node : trie.path(pair.item)) {
    const auto found = states_.find(key(pair.user, parent));
    if (found == states_.end()) return {log_p, false};
    log_p += static_cast<double>(log_p_[found->second.children + node.value - trie.child_begin(parent).value]);
    parent = node;
  }
  return {log_p, true};
}

void StreamSearch::expand(std::span<const UserItem> pairs) {
  const data::Trie& trie = decoder_.trie(stream_);
  for (std::size_t level = 1; level < trie.levels(); ++level) {
    std::vector<std::uint64_t> missing;
    for (const UserItem& pair : pairs) {
      const std::uint64_t k = key(pair.user, trie.path(pair.item)[level - 1]);
      if (!states_.contains(k)) missing.push_back(k);
    }
    std::sort(missing.begin(), missing.end());
    missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
    std::vector<Token> tokens;
    for (const std::uint64_t k : missing) {
      const auto user = static_cast<std::uint32_t>(k >> 32);
      const NodeId node{static_cast<std::uint32_t>(k)};
      tokens.push_back({user, node, states_.at(key(user, trie.parent(node))).row});
    }
    if (!tokens.empty()) feed(tokens);
  }
}

}  // namespace dyad::worker
