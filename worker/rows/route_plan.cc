#include "worker/rows/route_plan.h"

#include <algorithm>

namespace dyad::worker {

std::shared_ptr<const RoutePlan> RoutePlanner::plan(TableId table, std::span<const RowKey> keys) {
  for (const auto& known : recent_)
    if (known->table == table && std::equal(keys.begin(), keys.end(), known->keys.begin(), known->keys.end()))
      return known;
  auto plan = std::make_shared<RoutePlan>();
  plan->table = table;
  plan->keys.assign(keys.begin(), keys.end());
  plan->parts.resize(servers_);
  for (auto& part : plan->parts) {
    part.keys.reserve(keys.size() / servers_ + keys.size() / 16);
    part.positions.reserve(part.keys.capacity());
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    RoutePlan::Part& part = plan->parts[group_server_[partition_.group(partition_.bucket(table, keys[i])).value]];
    part.keys.push_back(keys[i]);
    part.positions.push_back(static_cast<std::uint32_t>(i));
  }
  recent_.push_front(plan);
  if (recent_.size() > kRemembered) recent_.pop_back();
  return plan;
}

}  // namespace dyad::worker
