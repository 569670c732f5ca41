#include "common/net/local_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace dyad::net {
namespace {

namespace fs = std::filesystem;

bool fits(const fs::path& socket) { return socket.native().size() < sizeof(sockaddr_un{}.sun_path); }

bool is_private(const fs::path& folder) {
  struct stat info {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() &&
         (info.st_mode & 077) == 0;
}

}  // namespace

Status prepare_local(const fs::path& socket) {
  const fs::path folder = socket.parent_path();
  if (!fits(socket)) return fail(Code::kInvalid, "{}: the path of a socket has at most {} letters", socket.string(),
                                 sizeof(sockaddr_un{}.sun_path) - 1);
  std::error_code ignored;
  fs::create_directories(folder.parent_path(), ignored);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Code::kFailed, "{}: {}", folder.string(), std::strerror(errno));
  if (!is_private(folder)) {                     // by its descriptor: a link would make any folder of ours private
    const int fd = ::open(folder.c_str(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) (void)(::fchmod(fd, 0700) + ::close(fd));
  }
  if (!is_private(folder)) return fail(Code::kInvalid, "{}: not a folder of ours alone", folder.string());
  return ok();
}

bool is_local_listener(const fs::path& socket) {
  if (socket.empty() || !fits(socket) || !is_private(socket.parent_path())) return false;
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, socket.c_str(), socket.native().size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool listens = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 || errno == EAGAIN;
  ::close(fd);
  return listens;
}

}  // namespace dyad::net
