#pragma once
// How one thing of a machine is, and what to do about it.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>
#include "common/config/config.h"

namespace dyad::ops::doctor {

enum class Health { kOk, kWarn, kFail };       // kFail: a job does not run here; kWarn: it may run badly
struct Finding {
  Health health = Health::kOk;
  std::string thing, found, advice;            // "memory", "1.2 GB available", what to do: empty for kOk
};
using Findings = std::vector<Finding>;

inline Finding good(std::string thing, std::string found) {
  return {Health::kOk, std::move(thing), std::move(found), ""};
}
inline Finding warn(std::string thing, std::string found, std::string advice) {
  return {Health::kWarn, std::move(thing), std::move(found), std::move(advice)};
}
inline Finding bad(std::string thing, std::string found, std::string advice) {
  return {Health::kFail, std::move(thing), std::move(found), std::move(advice)};
}
// The first limit that `value` falls below decides.
inline Finding by_limit(std::string thing, std::string found, double value, double fail_below, double warn_below,
                        std::string advice) {
  if (value < fail_below) return bad(std::move(thing), std::move(found), std::move(advice));
  if (value < warn_below) return warn(std::move(thing), std::move(found), std::move(advice));
  return good(std::move(thing), std::move(found));
}

// Processor, memory, limits, clock, GPU, a scheduler's variables.
Findings look_at_machine(const config::Config& config);
// Of job.dir, or the nearest folder above it that is there: free space, speed, its clock; of /dev/shm, which MPI uses.
Findings look_at_disk(const config::Config& config);
// Loopback, the addresses that the configuration binds, the key file.
Findings look_at_network(const config::Config& config);
// The programs beside this one and their libraries, of one version; mpirun, by starting two ranks.
Findings look_at_programs();

}  // namespace dyad::ops::doctor
