#pragma once
// Where events come from: a directory of segments (log_reader.h), or a broker. Partitions are append-only; a position
// (partition, offset) names the same event for ever.
// Threads: one per source.
#include <functional>
#include "common/base/result.h"
#include "common/data/types.h"

namespace dyad::data {

// Called with consecutive events, events[0] at offset `first`. An error stops the reading and is passed on.
using EventVisitor = std::function<Status(std::uint64_t first, std::span<const Event> events)>;

class LogSource {
 public:
  virtual ~LogSource() = default;
  virtual std::uint32_t partitions() const = 0;
  // The offset after the last whole event of the partition, now.
  virtual Result<std::uint64_t> end(PartitionId partition) = 0;
  // Visits the events [begin, end) in order. Fails with kInvalid naming the file and the batch's offset where the log
  // is damaged or cut, kNotFound if it does not reach `end`; events before the fault have been visited.
  virtual Status read(PartitionId partition, std::uint64_t begin, std::uint64_t end, const EventVisitor& visit) = 0;
};

// The partition of all of a user's events, so that a user's order is the order of one partition.
PartitionId partition_of(UserId user, std::uint32_t partitions);

}  // namespace dyad::data
