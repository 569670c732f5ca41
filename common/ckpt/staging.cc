#include "common/ckpt/staging.h"

#include <algorithm>
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"

namespace dyad::ckpt {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = ".step-";

// Of a folder and those below it, none of which need be there. What vanishes meanwhile is left out.
template <class Iterator> std::vector<fs::path> entries(const fs::path& dir) {
  std::vector<fs::path> found;
  std::error_code error;
  for (Iterator at(dir, error); !error && at != Iterator(); at.increment(error)) found.push_back(at->path());
  return found;
}

bool is_temporary(const fs::path& path) {          // of io::AtomicFile, or of point_best()
  const std::string name = path.filename().string();
  return name.starts_with(".best.") || (name.starts_with(".") && name.find(".tmp-") != std::string::npos);
}

Status remove_others(const fs::path& dir, const std::vector<std::string>& paths) {
  for (const fs::path& entry : entries<fs::recursive_directory_iterator>(dir)) {
    std::error_code error;
    const std::string path = entry.lexically_relative(dir).string();
    if (path == kManifestName || std::find(paths.begin(), paths.end(), path) != paths.end()) continue;
    if (fs::is_directory(fs::symlink_status(entry, error))) continue;
    fs::remove(entry, error);
    if (error) return fail(Code::kFailed, "cannot remove {}: {}", entry.string(), error.message());
  }
  return ok();
}

void remove_folder(const fs::path& dir) {
  std::error_code error;
  const auto removed = fs::remove_all(dir, error);   // a writer that still lives may add a file: the next sweep has it
  if (error) LOG_WARN("cannot remove {}, which nobody finishes any more: {}", dir.string(), error.message());
  else if (removed > 0) LOG_INFO("removed {}: a cut that nobody finishes any more", dir.string());
}

}  // namespace

fs::path staging_folder(const fs::path& checkpoints_dir, Step step, const Fence& fence) {
  return checkpoints_dir / fmt::format(".{}.{}.{}", folder_name(step), hex64(fence.run.value), fence.generation);
}

Status publish(const fs::path& checkpoints_dir, Step step, const Fence& fence, const std::vector<std::string>& paths) {
  const fs::path from = staging_folder(checkpoints_dir, step, fence), to = checkpoints_dir / folder_name(step);
  std::error_code error;
  DYAD_TRYV(remove_others(from, paths));
  if (fs::exists(to, error)) { DYAD_TRYV(remove_checkpoint(to)); }
  fs::rename(from, to, error);
  if (error) return fail(Code::kFailed, "cannot rename {} to {}: {}", from.string(), to.string(), error.message());
  DYAD_TRYV(io::sync_folder(checkpoints_dir));
  return io::sync_folder(checkpoints_dir.parent_path());
}

void remove_staging(const fs::path& checkpoints_dir, Step step, const Fence& fence) {
  remove_folder(staging_folder(checkpoints_dir, step, fence));
}

void sweep_staging(const fs::path& checkpoints_dir, const Sweep& sweep) {
  for (const fs::path& entry : entries<fs::directory_iterator>(checkpoints_dir)) {
    const std::string name = entry.filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const Step step{std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10)};
    if (step > sweep.after && entry == staging_folder(checkpoints_dir, step, sweep.living)) continue;
    remove_folder(entry);
  }
}

void sweep_temporaries(const fs::path& checkpoints_dir) {
  for (const fs::path& entry : entries<fs::recursive_directory_iterator>(checkpoints_dir)) {
    std::error_code error;
    if (is_temporary(entry) && !fs::remove(entry, error) && error)
      LOG_WARN("cannot remove {}, left by a process that was killed: {}", entry.string(), error.message());
  }
}

}  // namespace dyad::ckpt
