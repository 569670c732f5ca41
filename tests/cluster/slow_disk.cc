// To be preloaded (LD_PRELOAD) into a job: a disk on which each sync of a server takes SLOW_DISK_MS, which has no room
// for the first FULL_DISK_SYNCS of each, and on which a rows file takes SLOW_LOAD_MS until a server can read it.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

bool is_server() { return std::strcmp(program_invocation_short_name, "dyad-ps") == 0; }

void wait_for(const char* variable) {
  const char* ms = std::getenv(variable);
  if (ms && is_server())
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(ms)));
}

bool is_rows_file(int fd) {
  char name[4096] = "";
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return fd >= 0 && ::readlink(link.c_str(), name, sizeof name - 1) > 0 && std::strstr(name, ".rows") != nullptr;
}

}  // namespace

extern "C" int fsync(int fd) {
  using Fsync = int (*)(int);
  static const auto real = reinterpret_cast<Fsync>(::dlsym(RTLD_NEXT, "fsync"));
  static std::atomic<int> syncs{0};
  const char* full = std::getenv("FULL_DISK_SYNCS");
  if (full && is_server() && syncs++ < std::atoi(full)) return errno = ENOSPC, -1;
  wait_for("SLOW_DISK_MS");
  return real(fd);
}

extern "C" void* mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  using Mmap = void* (*)(void*, size_t, int, int, int, off_t);
  static const auto real = reinterpret_cast<Mmap>(::dlsym(RTLD_NEXT, "mmap"));
  if (is_rows_file(fd)) wait_for("SLOW_LOAD_MS");
  return real(at, bytes, protection, flags, fd, offset);
}
