#include "tools/prepare/synth/event_source.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include "common/base/check.h"

namespace dyad::synth {
namespace {

constexpr std::uint64_t kUserStream = 0x75736572, kEventStream = 0x6576656e74;
constexpr std::int64_t kStart = 1'600'000'000;               // seconds: September 2020
constexpr double kSpan = 2 * 365 * 86400.0;                  // over two years

// Events of each user: up to 5 for everyone, the rest by a log-normal activity. Adds up to options.events.
std::vector<std::uint32_t> event_counts(const Options& options) {
  const std::uint64_t floor_each = std::min<std::uint64_t>(5, options.events / options.users);
  const auto rest = static_cast<double>(options.events - floor_each * options.users);
  const auto activity = [&](std::uint64_t u) { return std::exp(KeyedRandom(options.seed, kUserStream, u).normal()); };
  double total = 0, sum = 0;
  for (std::uint64_t u = 0; u < options.users; ++u) total += activity(u);
  std::vector<std::uint32_t> counts(options.users);
  std::uint64_t given = 0;
  for (std::uint64_t u = 0; u < options.users; ++u) {
    sum += activity(u);
    const auto upto =
        u + 1 == options.users ? static_cast<std::uint64_t>(rest) : static_cast<std::uint64_t>(rest * (sum / total));
    counts[u] = static_cast<std::uint32_t>(floor_each + upto - given);
    given = upto;
  }
  return counts;
}

}  // namespace

EventSource::EventSource(const ItemWorld& world, const Options& options)
    : world_(world),
      options_(options),
      random_(options.seed, kEventStream),
      left_(options.users + 1, 0),
      last_(options.users, 0) {
  const std::vector<std::uint32_t> counts = event_counts(options);
  for (std::size_t u = 0; u < counts.size(); ++u) left_[u + 1] = counts[u];
  for (std::size_t i = 1; i < left_.size(); ++i)
    if (const std::size_t above = i + (i & (~i + 1)); above < left_.size()) left_[above] += left_[i];
  interest_.reserve(options.users);
  for (std::uint64_t u = 0; u < options.users; ++u) interest_.push_back(world.draw_cluster(random_.uniform()));
}

// Walks down the tree to the user whose share holds a random number below the number of events left.
UserId EventSource::take_user() {
  std::uint64_t at = random_.below(options_.events - done_);
  std::size_t node = 0;
  for (std::size_t step = std::bit_floor(left_.size() - 1); step > 0; step >>= 1) {
    const std::size_t next = node + step;
    if (next < left_.size() && left_[next] <= at) {
      at -= left_[next];
      node = next;
    } else if (next < left_.size()) {
      --left_[next];                                         // its subtree holds the user
    }
  }
  return UserId{static_cast<std::uint32_t>(node)};
}

ItemId EventSource::choose_item(UserId user) {
  std::uint32_t& interest = interest_[user.value];
  if (random_.uniform() < options_.drift) {
    const std::uint32_t clusters = world_.clusters();
    interest = random_.uniform() < 0.5 ? (interest + 1) % clusters : world_.draw_cluster(random_.uniform());
  }
  const std::uint32_t last = last_[user.value];
  if (last != 0 && world_.cluster(ItemId{last - 1}) == interest && random_.uniform() < 0.5)
    return world_.following(ItemId{last - 1}, 1 + static_cast<std::uint32_t>(random_.below(3)));
  const bool elsewhere = random_.uniform() < 0.1;
  const std::uint32_t cluster = elsewhere ? world_.draw_cluster(random_.uniform()) : interest;
  return world_.draw(cluster, random_.uniform());
}

data::Event EventSource::next() {
  CHECK_LT(done_, options_.events);
  const UserId user = take_user();
  const ItemId item = choose_item(user);
  last_[user.value] = item.value + 1;
  const double share = static_cast<double>(done_) / static_cast<double>(options_.events);
  ++done_;
  return {user, item, kStart + static_cast<std::int64_t>(kSpan * share)};
}

}  // namespace dyad::synth
