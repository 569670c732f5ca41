#pragma once
// Signs that something still goes on. For waits that have as long to last as there are bytes to read or write: their
// bound is how long nothing happened. Threads: one.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>
#include <sys/types.h>
#include "common/base/clock.h"

namespace dyad::ops {

class Quiet {
 public:
  // How long, before `now`, `sign` has been what it is.
  Millis ms(std::uint64_t sign, Millis now) {
    if (sign_ != sign) since_ = now;
    sign_ = sign;
    return now - since_;
  }

 private:
  std::optional<std::uint64_t> sign_;
  Millis since_ = 0;
};

// Of all files below a folder, those that are being written too; 0 when there is no folder.
std::uint64_t bytes_below(const std::filesystem::path& folder);
// The step of a job's newest checkpoint, 0 before there is one.
std::uint64_t last_cut(const std::filesystem::path& job_dir);
// What a process has done (ProcessStat::work). 0 when there is no such process.
std::uint64_t work_of(pid_t pid);

// Those whose parent it is: of an mpirun, its ranks on this machine.
std::vector<pid_t> children_of(pid_t parent);

}  // namespace dyad::ops
