// The folders of a job's checkpoints: listing, choosing, removing, and the link to the best.
#include "common/ckpt/checkpoint_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <unistd.h>
#include "common/base/log.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"

namespace dyad::ckpt {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBestLink = "best";

std::optional<Step> step_of(const std::string& folder) {
  constexpr std::string_view prefix = "step-";
  if (folder.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(folder.data() + prefix.size(), folder.data() + folder.size(), value);
  if (error != std::errc() || end != folder.data() + folder.size()) return std::nullopt;
  return Step{value};
}

Listed look_at(const fs::path& dir, Step step, Depth depth) {
  Listed listed{.dir = dir, .step = step};
  auto manifest = verify(dir, depth);
  if (manifest.has_value() && manifest.value().step == step) {
    listed.state = State::kValid;
    listed.manifest = std::move(manifest.value());
  } else if (manifest.has_value()) {
    listed.state = State::kDamaged;
    listed.problem = fmt::format("{}: its manifest is of step {}", dir.string(), manifest.value().step);
  } else {
    listed.state = manifest.error().code == Code::kNotFound ? State::kIncomplete
                   : is_of_newer_version(dir)               ? State::kNewer
                                                            : State::kDamaged;
    listed.problem = manifest.error().message;
  }
  return listed;
}

Result<std::vector<std::pair<Step, fs::path>>> step_folders(const fs::path& checkpoints_dir) {
  std::vector<std::pair<Step, fs::path>> found;
  DYAD_TRY(there, io::exists(checkpoints_dir));
  if (!there) return found;
  DYAD_TRY(entries, io::list_folder(checkpoints_dir));
  for (const fs::path& entry : entries) {
    const auto step = step_of(entry.filename().string());
    if (!step) continue;
    DYAD_TRY(is_folder, io::is_folder(entry));
    if (is_folder) found.emplace_back(*step, entry);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

const char* state_name(State state) {
  switch (state) {
    case State::kValid: return "valid";
    case State::kIncomplete: return "incomplete";
    case State::kDamaged: return "damaged";
    case State::kNewer: return "newer";
  }
  return "unknown";
}

Result<std::vector<Listed>> list_checkpoints(const fs::path& checkpoints_dir, Depth depth) {
  DYAD_TRY(folders, step_folders(checkpoints_dir));
  std::vector<Listed> list;
  for (const auto& [step, dir] : folders) list.push_back(look_at(dir, step, depth));
  return list;
}

Result<Listed> newest_valid(const fs::path& checkpoints_dir, std::vector<Listed>* skipped) {
  DYAD_TRY(folders, step_folders(checkpoints_dir));
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) {
    Listed listed = look_at(it->second, it->first, Depth::kDigests);
    if (listed.state == State::kValid) return listed;
    LOG_WARN("checkpoint skipped ({}): {}", state_name(listed.state), listed.problem);
    if (skipped) skipped->push_back(std::move(listed));
  }
  return fail(Code::kNotFound, "no valid checkpoint in {}", checkpoints_dir.string());
}

Status remove_checkpoint(const fs::path& dir) {
  std::error_code error;
  const fs::path best = dir.parent_path() / kBestLink;     // it may be of settings that the job has no more
  if (fs::read_symlink(best, error) == dir.filename()) fs::remove(best, error);
  error.clear();
  fs::remove(dir / kManifestName, error);
  if (!error && fs::exists(dir, error)) { DYAD_TRYV(io::sync_folder(dir)); }
  if (!error) fs::remove_all(dir, error);
  if (error) return fail(Code::kFailed, "cannot remove {}: {}", dir.string(), error.message());
  return ok();
}

Status point_best(const fs::path& checkpoints_dir, Step step) {
  const fs::path link = checkpoints_dir / kBestLink, temporary = checkpoints_dir / fmt::format(".best.{}", ::getpid());
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_directory_symlink(folder_name(step), temporary, error);
  if (!error) fs::rename(temporary, link, error);
  if (error) return fail(Code::kFailed, "cannot link {} to {}: {}", link.string(), folder_name(step), error.message());
  return ok();
}

}  // namespace dyad::ckpt
