// To be preloaded (LD_PRELOAD) into a job: a disk on which each sync of a server takes SLOW_DISK_MS, and which has no
// room for the first FULL_DISK_SYNCS of each.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <dlfcn.h>

extern "C" int fsync(int fd) {
  using Fsync = int (*)(int);
  static const auto real = reinterpret_cast<Fsync>(::dlsym(RTLD_NEXT, "fsync"));
  static std::atomic<int> syncs{0};
  const char *ms = std::getenv("SLOW_DISK_MS"), *full = std::getenv("FULL_DISK_SYNCS");
  const bool server = std::strcmp(program_invocation_short_name, "dyad-ps") == 0;
  if (full && server && syncs++ < std::atoi(full)) return errno = ENOSPC, -1;
  if (ms && server)
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(ms)));
  return real(fd);
}
