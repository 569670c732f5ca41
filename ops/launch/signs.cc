#include "ops/launch/signs.h"

#include <algorithm>
#include <charconv>
#include <string>
#include "common/base/process.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"

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

std::uint64_t last_cut(const fs::path& job_dir) {
  std::uint64_t step = 0;
  if (const auto found = ckpt::list_checkpoints(ckpt::checkpoints_dir(job_dir), ckpt::Depth::kSizes))
    for (const auto& listed : found.value())
      if (listed.state == ckpt::State::kValid) step = std::max(step, listed.step.value);
  return step;
}

std::uint64_t work_of(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat ? stat->work : 0;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (const auto stat = process_stat(pid); stat && stat->parent == parent && !stat->has_ended) found.push_back(pid);
  }
  return found;
}

}  // namespace dyad::ops
