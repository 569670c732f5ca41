#include "common/cli/output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace dyad::cli {
namespace {

// A pipe or socket without a reader tells so for ever after, errno only once.
bool has_no_reader() {
  pollfd one{STDOUT_FILENO, 0, 0};
  return poll(&one, 1, 0) == 1 && (one.revents & POLLERR) != 0;
}

}  // namespace

void guard_descriptors() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is `fd`. Opened the wrong way round, so that reading stdin and writing stdout fail.
    (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
  }
}

Output flush_output(std::string& why) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  bool failed = std::fflush(stdout) != 0;
  int error = errno;
  // A network's file system may tell of a full disk only when the file is closed.
  if (const int copy = failed ? -1 : dup(STDOUT_FILENO); copy >= 0 && close(copy) != 0) {
    failed = true;
    error = errno;
  }
  if (!failed && !failed_before) return Output::kWritten;
  if (error == EPIPE || has_no_reader()) return Output::kNoReader;
  why = failed && error != 0 ? std::strerror(error) : "a part of it was not taken (a full disk?)";
  return Output::kLost;
}

bool is_output_lost() { return std::fflush(stdout) != 0 || std::ferror(stdout) != 0; }

}  // namespace dyad::cli
