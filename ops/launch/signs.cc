#include "ops/launch/signs.h"

#include <fstream>
#include <sstream>
#include <string>

namespace dyad::ops {

namespace fs = std::filesystem;

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;                      // renamed or removed meanwhile: that is a sign, too
    const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
    bytes += gone ? 0 : size;
  }
  return bytes;
}

// /proc/PID/stat (man 5 proc): "pid (name) state ppid ...", of which minflt, majflt, utime, stime are 10, 12, 14, 15.
std::uint64_t work_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_ends + 1));
  std::string field;
  std::uint64_t work = 0;
  for (int number = 3; rest >> field && number <= 15; ++number)
    if (number == 10 || number == 12 || number == 14 || number == 15) work += std::stoull(field);
  return work;
}

}  // namespace dyad::ops
