#include "common/base/process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>
#include <unistd.h>
#include "common/base/result.h"
#include "common/base/scarcity.h"

namespace dyad {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);   // a look costs 20 us

struct Watched { pid_t pid = 0; std::uint64_t started = 0; };

// kill() first: without a free descriptor /proc tells nothing, and that is no death.
bool is_alive(const Watched& watched) {
  if (::kill(watched.pid, 0) != 0 && errno == ESRCH) return false;
  const auto stat = process_stat(watched.pid);
  return !stat || (!stat->has_ended && stat->started == watched.started);
}

// Where process ids mean what they mean here: this boot of this machine (or of this container).
std::string pid_space() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::error_code ignored;
  return boot + "/" + std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

std::optional<Watched> parse(const char* text) {
  if (!text) return std::nullopt;
  std::istringstream words(text);
  Watched found;
  if (!(words >> found.pid) || found.pid <= 0) return std::nullopt;
  if (std::string space; words >> found.started) {
    if (words >> space; space != pid_space()) return std::nullopt;
  } else if (const auto stat = process_stat(found.pid)) {
    found.started = stat->started;
  }
  return found;
}

[[noreturn]] void leave() { _exit(static_cast<int>(Code::kDisconnected)); }

}  // namespace

// /proc/PID/stat (man 5 proc): "pid (name) state ppid ...": 3 and 4, of which minflt, majflt, utime, stime are 10, 12,
// 14, 15, and starttime 22.
std::optional<ProcessStat> process_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto name_ends = text.rfind(')');              // a name may hold anything
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_ends + 1));
  ProcessStat stat;
  std::string field;
  for (int number = 3; number <= 22 && rest >> field; ++number) {
    if (number == 3) stat.has_ended = field == "Z" || field == "X", stat.is_stopped = field == "T";
    if (number == 4) stat.parent = static_cast<pid_t>(std::stol(field));
    if (number == 10 || number == 12 || number == 14 || number == 15) stat.work += std::stoull(field);
    if (number == 22) stat.started = std::stoull(field);
  }
  return stat;
}

std::string host_name() {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0';
  return known ? name.data() : "unknown";
}

std::string launcher_mark() {
  const auto self = process_stat(::getpid());
  return fmt::format("{} {} {}", ::getpid(), self ? self->started : 0, pid_space());
}

void leave_with_launcher(const char* launcher, Watch watch) {
  std::vector<Watched> watched;
  if (const auto found = parse(launcher)) watched.push_back(*found);
  if (watch == Watch::kLauncherAndParent)
    if (const auto parent = process_stat(::getppid())) watched.push_back({::getppid(), parent->started});
  if (watched.empty()) return;
  sigset_t all, before;                                // signals are for the threads that know what to do with them
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([watched = std::move(watched)] {
      for (;; std::this_thread::sleep_for(kLookEvery))
        for (const Watched& one : watched)
          if (!is_alive(one)) leave();
    }).detach();
  } catch (const std::system_error& e) {               // before a main can catch it: no thread to be had
    const Error why = error_of(e);
    std::fprintf(stderr, "%s\n", why.message.c_str());
    _exit(static_cast<int>(why.code));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace dyad
