#pragma once
// Every number that names something has a type of its own, so that a step never lands where a rank belongs.
#include <compare>
#include <cstdint>
#include <functional>
#include <fmt/format.h>

namespace dyad {

template <class Tag, class Rep> struct Id {
  using rep = Rep;
  Rep value{};
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  constexpr auto operator<=>(const Id&) const = default;
};

using Step = Id<struct StepTag, std::uint64_t>;              // 1 is the first step; "applied 0" is the initial state
using RowKey = Id<struct RowKeyTag, std::uint64_t>;          // of a row in its table: what it means is the model's
using BucketId = Id<struct BucketTag, std::uint32_t>;
using GroupId = Id<struct GroupTag, std::uint32_t>;          // a run of buckets that one thread owns and one file holds
using ServerId = Id<struct ServerTag, std::uint32_t>;        // 0..P-1
using WorkerRank = Id<struct WorkerTag, std::uint32_t>;      // 0..R-1
using Incarnation =
    Id<struct IncarnationTag, std::uint64_t>;  // grows by one at each start of a process under the same name
using RoutingEpoch = Id<struct RoutingTag, std::uint64_t>;
using ItemId = Id<struct ItemTag, std::uint32_t>;            // dense, 0..items-1
using UserId = Id<struct UserTag, std::uint32_t>;            // dense, 0..users-1
using NodeId = Id<struct NodeTag, std::uint32_t>;            // a node of a code trie, breadth first; 0 is the root
using PartitionId = Id<struct PartitionTag, std::uint32_t>;  // of the interaction log

enum class TableId : std::uint8_t {};                        // a place in the job's list of tables (common/tables)

}  // namespace dyad

template <class Tag, class Rep> struct std::hash<dyad::Id<Tag, Rep>> {
  std::size_t operator()(dyad::Id<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value); }
};
template <class Tag, class Rep> struct fmt::formatter<dyad::Id<Tag, Rep>> : fmt::formatter<Rep> {
  template <class Context> auto format(dyad::Id<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value, context);
  }
};
