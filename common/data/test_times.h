#pragma once
// For tests: the times of all events, which a Dataset does not keep, from its log.
#include "common/base/check.h"
#include "common/data/dataset.h"
#include "common/data/log_reader.h"

namespace dyad::data {

// Seconds, of each user, beside sequence().
inline std::vector<std::vector<std::int64_t>> times_of_users(const Dataset& dataset) {
  std::vector<std::vector<std::int64_t>> out(dataset.users());
  const auto log = open_directory_log(dataset.dir() / "log").value();
  for (std::uint32_t p = 0; p < log->partitions(); ++p) {
    const auto read = log->read(PartitionId{p}, 0, log->end(PartitionId{p}).value(), [&](auto, auto events) {
      for (const Event& event : events) out[event.user.value].push_back(event.time_s);
      return ok();
    });
    CHECK(read.has_value());
  }
  return out;
}

}  // namespace dyad::data
