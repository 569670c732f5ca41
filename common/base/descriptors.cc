#include "common/base/descriptors.h"

#include <sys/resource.h>
#include <algorithm>
#include <cerrno>
#include <mutex>

namespace dyad {
namespace {

constexpr rlim_t kEnough = 65536;   // some programs close every number up to the limit before they start others

rlim_t wanted(const rlimit& limit) {
  if (limit.rlim_max < 4 * kReservedDescriptors) return limit.rlim_cur;   // so few that a reserve would hurt more
  return std::min(limit.rlim_max - kReservedDescriptors, std::max(limit.rlim_cur, kEnough));
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = wanted(limit);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);      // may be refused in a sandbox: then it stays as it was
}

int open_reserved(const char* path, int flags, mode_t mode) {
  const int fd = ::open(path, flags, mode);
  if (fd >= 0 || errno != EMFILE) return fd;
  static std::mutex mutex;                       // the limit is the whole process's: one at a time opens the reserve
  std::lock_guard lock(mutex);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  const int again = ::open(path, flags, mode);
  const int error = errno;
  limit.rlim_cur = soft;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  errno = error;
  return again;
}

}  // namespace dyad
