// To be preloaded (LD_PRELOAD) into a job: a disk on which each sync of a server takes SLOW_DISK_MS.
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <dlfcn.h>

extern "C" int fsync(int fd) {
  using Fsync = int (*)(int);
  static const auto real = reinterpret_cast<Fsync>(::dlsym(RTLD_NEXT, "fsync"));
  const char* ms = std::getenv("SLOW_DISK_MS");
  if (ms && std::strcmp(program_invocation_short_name, "dyad-ps") == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(ms)));
  return real(fd);
}
