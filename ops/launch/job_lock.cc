#include "ops/launch/job_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <utility>
#include "common/io/atomic_file.h"
#include "coordinator/journal/start.h"

namespace dyad::ops {
namespace {

Error in_use(const std::filesystem::path& job_dir) {
  return fail(Code::kOverloaded, "job.dir {} is in use by a running job; wait for its end, or choose another job.dir",
              job_dir.string());
}

bool is_locked_by_another(int fd) { return ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

}  // namespace

// The folder itself is what is locked: no file of ours to leave behind. A file system without such locks has none here.
Result<JobLock> JobLock::take(const std::filesystem::path& job_dir) {
  const int fd = ::open(job_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io::system_error("open", job_dir);
  JobLock lock(fd);
  if (is_locked_by_another(fd)) return in_use(job_dir);
  DYAD_TRYV(check_no_coordinator(job_dir));
  return lock;
}

JobLock::JobLock(JobLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

JobLock::~JobLock() {
  if (fd_ >= 0) ::close(fd_);
}

Status check_no_coordinator(const std::filesystem::path& job_dir) {
  const auto journal = job_dir / coordinator::kJournalName;
  const int fd = ::open(journal.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? ok() : Status(io::system_error("open", journal));
  const bool locked = is_locked_by_another(fd);
  ::close(fd);
  return locked ? Status(in_use(job_dir)) : ok();
}

}  // namespace dyad::ops
