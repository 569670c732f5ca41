#pragma once
// One launcher at a time in a job's folder: a second one would overwrite its config.toml and its coordinator.json.
// Threads: one.  Ownership: holds the lock until it goes; the system lets go of it when the process dies.
#include <filesystem>
#include "common/base/result.h"

namespace dyad::ops {

class JobLock {
 public:
  // REQUIRES: job_dir exists. kOverloaded: another launcher, or a coordinator that was started by hand, is at work.
  static Result<JobLock> take(const std::filesystem::path& job_dir);
  JobLock(JobLock&& other) noexcept;
  JobLock& operator=(JobLock&&) = delete;
  ~JobLock();

 private:
  explicit JobLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// kOverloaded while a process holds the journal of this job's coordinator. Only looks: nothing is created or kept.
Status check_no_coordinator(const std::filesystem::path& job_dir);

}  // namespace dyad::ops
