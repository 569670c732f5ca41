#include "common/metrics/process_figures.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace dyad::metrics {
namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

// The number after `word`, which begins a line of the file; -1: not there.
double number_in(const char* file, std::string_view word) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(word)) return std::strtod(line.c_str() + word.size(), nullptr);
  return -1;
}

// Ticks since the machine's boot, field 22 of stat; the second may hold spaces, in brackets.
double start_ticks() {
  std::ifstream in("/proc/self/stat");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::size_t at = text.rfind(')');
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at, nullptr);
}

// Read once: the boot time moves when the clock is set, a start does not.
double start_time() {
  static const double since = [] {
    const double boot = number_in("/proc/stat", "btime "), ticks = start_ticks();
    return boot < 0 || ticks < 0 ? -1 : boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }();
  return since;
}

}  // namespace

std::map<std::string, double> process_figures() {
  std::map<std::string, double> out;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    out["process_cpu_seconds_total"] = seconds(used.ru_utime) + seconds(used.ru_stime);
  if (const double kilobytes = number_in("/proc/self/status", "VmRSS:"); kilobytes >= 0)
    out["process_resident_memory_bytes"] = kilobytes * 1024;
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error) out["process_open_fds"] = static_cast<double>(std::distance(begin(open), end(open)) - 1);   // its own
  rlimit most{};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0) out["process_max_fds"] = static_cast<double>(most.rlim_cur);
  if (const double since = start_time(); since >= 0) out["process_start_time_seconds"] = since;
  return out;
}

}  // namespace dyad::metrics
