#include "common/base/descriptors.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace dyad {
namespace {

constexpr rlim_t kEnough = 65536;   // some programs close every number up to the limit before they start others

bool is_reserved(int fd) {          // numbers are given from below, so a high one tells how many are in use
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 4 * kReservedDescriptors) return false;
  return static_cast<rlim_t>(fd) + kReservedDescriptors >= limit.rlim_cur;
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
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, kEnough));
  (void)::setrlimit(RLIMIT_NOFILE, &limit);      // may be refused in a sandbox: then it stays as it was
}

}  // namespace dyad

// In the place of the C library's. libzmq takes what it can get: at the limit its I/O thread spins, our checkpoints
// find no descriptor, and it ends the process by assertion when a peer comes to an ipc socket (ipc_listener.cpp, 4.3).
// To raise the limit for our own files alone does not do: the spinning thread takes what was meant for them.
extern "C" int accept4(int listener, sockaddr* address, socklen_t* length, int flags) {
  const int fd = static_cast<int>(::syscall(SYS_accept4, listener, address, length, flags));
  if (fd < 0 || !dyad::is_reserved(fd) || dyad::is_local(listener)) return fd;
  ::close(fd);
  errno = ECONNABORTED;                          // as if the stranger had gone already
  return -1;
}
