#include "worker/rows/route_plan.h"

#include <algorithm>
#include "common/base/check.h"

namespace dyad::worker {

RoutePlanner::RoutePlanner(const wire::Partition& partition, const std::vector<std::uint32_t>& group_server,
                           std::size_t servers)
    : partition_(partition), servers_(servers) {
  for (std::uint32_t b = 0; b < partition.buckets; ++b)
    bucket_server_.push_back(group_server[partition.group(BucketId{b}).value]);
}

// A counting sort by server, in which each server's keys stay in the order of by_key.
void RoutePlanner::split(RoutePlan& plan, std::span<const std::uint32_t> by_key) {
  const std::size_t n = plan.keys.size();
  servers_of_.resize(n);
  std::vector<std::size_t> begin(servers_ + 1);
  for (std::size_t i = 0; i < n; ++i) {
    servers_of_[i] = bucket_server_[partition_.bucket(plan.table, plan.keys[i]).value];
    ++begin[servers_of_[i] + 1];
  }
  for (std::size_t s = 0; s < servers_; ++s) begin[s + 1] += begin[s];
  plan.by_server.resize(n);
  plan.positions.resize(n);
  for (std::size_t s = 0; s < servers_; ++s) {
    const std::size_t count = begin[s + 1] - begin[s];
    plan.parts[s] = {std::span(plan.by_server).subspan(begin[s], count),
                     std::span(plan.positions).subspan(begin[s], count)};
  }
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = by_key.empty() ? k : by_key[k];
    const std::size_t to = begin[servers_of_[i]]++;
    plan.by_server[to] = plan.keys[i];
    plan.positions[to] = static_cast<std::uint32_t>(i);
  }
}

std::shared_ptr<const RoutePlan> RoutePlanner::plan(TableId table, std::span<const RowKey> keys,
                                                    std::span<const std::uint32_t> by_key) {
  CHECK(by_key.empty() || by_key.size() == keys.size());
  for (const auto& known : recent_)
    if (known->table == table && std::equal(keys.begin(), keys.end(), known->keys.begin(), known->keys.end()))
      return known;
  auto plan = std::make_shared<RoutePlan>();
  plan->table = table;
  plan->keys.assign(keys.begin(), keys.end());
  plan->parts.resize(servers_);
  if (servers_ == 1 && by_key.empty()) plan->parts[0].keys = plan->keys;
  else split(*plan, by_key);
  recent_.push_front(plan);
  if (recent_.size() > kRemembered) recent_.pop_back();
  return plan;
}

}  // namespace dyad::worker
