#include "tools/prepare/codes/rebalance.h"
#include <algorithm>
#include <limits>
#include <numeric>
#include "common/base/check.h"

namespace dyad::codes {
namespace {
constexpr float kNone = std::numeric_limits<float>::infinity();
constexpr float kRounding = 1e-6f;                              // a gain below this is float noise, not a shorter path
constexpr double kWork = 4e9;                                   // elementary steps that the exact part may take
}  // namespace

Rebalance::Rebalance(const Candidates& candidates, MatrixView items, MatrixView centres,
                     std::vector<std::uint32_t>& cluster)
    : candidates_(candidates),
      items_(items),
      centres_(centres),
      cluster_(cluster),
      members_(candidates.clusters),
      edge_loss_(candidates.clusters * candidates.clusters),
      edge_item_(edge_loss_.size()),
      stale_(candidates.clusters, true),
      k_(candidates.clusters),
      small_(candidates.items / k_),
      large_((candidates.items + k_ - 1) / k_) {
  for (std::size_t i = 0; i < cluster.size(); ++i) members_[cluster[i]].push_back(static_cast<std::uint32_t>(i));
}

std::size_t Rebalance::excess() const {
  std::size_t above = 0, below = 0;
  for (const auto& m : members_) {
    above += m.size() > large_ ? m.size() - large_ : 0;
    below += m.size() < small_ ? small_ - m.size() : 0;
  }
  return std::max(above, below);
}

float Rebalance::similarity(std::size_t item, std::size_t centre) const {
  const auto s = candidates_.similarities(item);
  if (s.size() == k_) return s[centre];                         // all centres, in order
  return std::inner_product(items_.row(item), items_.row(item) + items_.cols, centres_.row(centre), 0.0f);
}

void Rebalance::refresh(std::size_t from) {
  float* loss = edge_loss_.data() + from * k_;
  std::uint32_t* who = edge_item_.data() + from * k_;
  std::fill_n(loss, k_, kNone);
  for (const std::uint32_t item : members_[from]) {
    const auto s = candidates_.similarities(item);
    const auto c = candidates_.centres(item);
    const float here = similarity(item, from);
    for (std::size_t j = 0; j < s.size(); ++j)
      if (const float l = here - s[j]; l < loss[c[j]]) { loss[c[j]] = l; who[c[j]] = item; }
  }
  loss[from] = kNone;
  stale_[from] = false;
}

void Rebalance::move(std::size_t item, std::size_t to) {
  const std::size_t from = cluster_[item];
  auto& left = members_[from];
  auto& joined = members_[to];
  left.erase(std::lower_bound(left.begin(), left.end(), item));
  joined.insert(std::lower_bound(joined.begin(), joined.end(), item), static_cast<std::uint32_t>(item));
  stale_[from] = stale_[to] = true;
  cluster_[item] = static_cast<std::uint32_t>(to);
}

bool Rebalance::walk_back(std::size_t target, std::span<const std::uint32_t> before) {
  std::vector<std::pair<std::uint32_t, std::size_t>> moves;     // read all edges before the first move changes them
  for (std::size_t c = target; before[c] != k_; c = before[c]) {
    if (moves.size() > k_) return false;                        // rounding closed a loop
    moves.emplace_back(edge_item_[before[c] * k_ + c], c);
  }
  for (const auto& [item, to] : moves) move(item, to);
  return true;
}

bool Rebalance::augment(const std::vector<bool>& sources, const std::vector<bool>& targets, float loss_below) {
  std::vector<float> distance(k_, kNone);
  std::vector<std::uint32_t> before(k_, static_cast<std::uint32_t>(k_));   // K: where a path starts
  std::vector<bool> changed = sources;
  for (std::size_t c = 0; c < k_; ++c) {
    if (stale_[c]) refresh(c);
    if (sources[c]) distance[c] = 0;
  }
  for (std::size_t pass = 0, left = 1; pass < k_ && left > 0; ++pass) {
    left = 0;
    for (std::size_t at = 0; at < k_; ++at) {
      if (!changed[at]) continue;
      changed[at] = false;
      const float* loss = edge_loss_.data() + at * k_;
      for (std::size_t c = 0; c < k_; ++c)
        if (const float d = distance[at] + loss[c]; d < distance[c] - kRounding) {
          distance[c] = d; before[c] = static_cast<std::uint32_t>(at); changed[c] = true; ++left;
        }
    }
  }
  std::size_t best = k_;
  for (std::size_t c = 0; c < k_; ++c)
    if (targets[c] && distance[c] < kNone && (best == k_ || distance[c] < distance[best])) best = c;
  return best < k_ && distance[best] < loss_below && walk_back(best, before);
}

bool Rebalance::settle(std::size_t sources_above, std::size_t targets_below, float loss_below) {
  std::vector<bool> sources(k_), targets(k_);
  for (std::size_t c = 0; c < k_; ++c) {
    sources[c] = members_[c].size() > sources_above;
    targets[c] = members_[c].size() < targets_below;
  }
  return augment(sources, targets, loss_below);
}

bool Rebalance::any_above() const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m.size() > large_; });
}

// Every move of an item from a cluster above its size (or, once there is none, above the least) to one with room, the
// cheapest of each item, cheapest first.
std::vector<Rebalance::Move> Rebalance::moves_to_room(bool all_centres) const {
  const bool above = any_above();
  std::vector<Move> out;
  for (std::size_t from = 0; from < k_; ++from) {
    if (members_[from].size() <= (above ? large_ : small_)) continue;
    for (const std::uint32_t item : members_[from]) {
      Move best{kNone, item, 0};
      const float here = similarity(item, from);
      const auto consider = [&](std::size_t c, float s) {
        if (members_[c].size() < (above ? large_ : small_) && here - s < best.loss)
          best = {here - s, item, static_cast<std::uint32_t>(c)};
      };
      if (all_centres) {
        for (std::size_t c = 0; c < k_; ++c)
          if (members_[c].size() < (above ? large_ : small_)) consider(c, similarity(item, c));
      } else {
        for (std::size_t j = 0; j < candidates_.per_item; ++j)
          consider(candidates_.centres(item)[j], candidates_.similarities(item)[j]);
      }
      if (best.loss < kNone) out.push_back(best);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Move& a, const Move& b) { return a.loss != b.loss ? a.loss < b.loss : a.item < b.item; });
  return out;
}

void Rebalance::shed_in_bulk(std::size_t limit) {
  bool all_centres = false;
  for (std::size_t over = excess(); over > limit; ) {
    const bool above = any_above();
    const std::size_t bound = above ? large_ : small_;
    std::size_t moved = 0;
    for (const Move& m : moves_to_room(all_centres)) {
      if (members_[cluster_[m.item]].size() <= bound || members_[m.to].size() >= bound) continue;
      move(m.item, m.to);
      if (++moved, moved + limit >= over) break;
    }
    over = excess();
    CHECK(moved > 0 || !all_centres);                           // with all centres there is always a move
    all_centres = moved == 0;
  }
}

void Rebalance::run() {
  const double members = static_cast<double>(candidates_.items) / static_cast<double>(k_);
  const double each = 4.0 * static_cast<double>(k_ * k_) + 3.0 * members * static_cast<double>(candidates_.per_item);
  shed_in_bulk(static_cast<std::size_t>(kWork / each));
  while (excess() > 0)
    if (!(any_above() ? settle(large_, large_, kNone) : settle(small_, small_, kNone))) shed_in_bulk(excess() - 1);
  // Which clusters hold the remainder's extra item is still open: pass extras on while that gains.
  for (std::size_t i = 0; small_ < large_ && i < k_ && settle(small_, large_, -kRounding); ++i) {}
}

}  // namespace dyad::codes
