#include "common/base/descriptors.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
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

// Calls `make`, and once more with the reserve where all other descriptors are in use.
template <class Make> int with_reserve(Make make) {
  const int fd = make();
  if (fd >= 0 || errno != EMFILE) return fd;
  static std::mutex mutex;                       // the limit is the whole process's: one at a time opens the reserve
  std::lock_guard lock(mutex);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  const int again = make();
  const int error = errno;
  limit.rlim_cur = soft;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  errno = error;
  return again;
}

bool is_local(int socket) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  return ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0 && own.ss_family == AF_UNIX;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = wanted(limit);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);      // may be refused in a sandbox: then it stays as it was
}

int open_reserved(const char* path, int flags, mode_t mode) {
  return with_reserve([&] { return ::open(path, flags, mode); });
}

}  // namespace dyad

// In the place of the C library's, also for the libraries that we load. libzmq 4.3 ends the process ("Too many open
// files", ipc_listener.cpp) when a socket of the file system cannot accept: strangers reach our ports but no such
// socket, so its peers get theirs from the reserve.
extern "C" int accept4(int listener, sockaddr* address, socklen_t* length, int flags) {
  const auto accept = [=] { return static_cast<int>(::syscall(SYS_accept4, listener, address, length, flags)); };
  const int fd = accept();
  if (fd >= 0 || errno != EMFILE || !dyad::is_local(listener)) return fd;
  const int again = dyad::with_reserve(accept);
  if (again < 0 && errno == EMFILE) errno = ENFILE;      // which libzmq waits out
  return again;
}
