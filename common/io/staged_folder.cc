#include "common/io/staged_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>
#include <fmt/ranges.h>
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"

namespace dyad::io {
namespace {

namespace fs = std::filesystem;
constexpr const char* kLock = ".dyad-staged";                // also the sign that the folder is one of ours

std::string prefix_of(const fs::path& target) { return target.filename().string() + ".tmp-"; }

// TARGET.tmp-<digits>, with our lock file in it, and nobody holds that: its maker is gone. All else is somebody's.
bool is_stale(const fs::path& folder, const std::string& prefix) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix) || name.size() == prefix.size()) return false;
  if (name.find_first_not_of("0123456789", prefix.size()) != std::string::npos) return false;
  const int fd = ::open((folder / kLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) != 0;
  ::close(fd);
  return !locked;
}

// Removes what processes that are gone left beside the target.
void remove_stale(const fs::path& target) {
  const fs::path parent = target.parent_path().empty() ? "." : target.parent_path();
  const auto entries = list_folder(parent);
  if (!entries) return;                                    // creating the folder tells what is wrong
  std::error_code error;
  for (const fs::path& folder : entries.value()) {
    if (!is_stale(folder, prefix_of(target))) continue;
    LOG_INFO("{}: removed, an interrupted run left it", folder.string());
    fs::remove_all(folder, error);
  }
}

// Where the folder is to be: where links point (also one to nothing), without "." and a slash at the end.
Result<fs::path> resolved(const fs::path& given) {
  constexpr int kLinksMax = 40;                            // as many as Linux follows
  if (given.empty()) return fail(Code::kInvalid, "the name of the folder to write is empty");
  fs::path target = given;
  for (int links = 0; links <= kLinksMax; ++links) {
    if (!target.has_filename()) target = target.parent_path();   // "data/" is "data"
    std::error_code error;
    const fs::path name = target.filename();
    if (name == "." || name == "..") {
      target = fs::canonical(target, error);
      if (error) return fail(Code::kInvalid, "{}: {}", given.string(), error.message());
      return target;
    }
    if (!fs::is_symlink(target, error)) return target;
    target = target.parent_path() / fs::read_symlink(target, error);
  }
  return fail(Code::kInvalid, "{}: a link that leads through more than {} links", given.string(), kLinksMax);
}

// Both names exist: they change places at once, or (on a file system that cannot) one after the other.
Status exchange(const fs::path& staged, const fs::path& target) {
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return ok();
  const fs::path old = staged.string() + "-old";
  if (::rename(target.c_str(), old.c_str()) != 0) return system_error("move aside", target);
  if (::rename(staged.c_str(), target.c_str()) != 0) {
    const Error error = system_error("rename into place", target);
    (void)::rename(old.c_str(), target.c_str());           // what was there is better than nothing
    return error;
  }
  if (::rename(old.c_str(), staged.c_str()) != 0) return system_error("move aside", old);
  return ok();
}

// Fails naming what lies in a folder that is to be replaced and is not of its kind: it would be deleted.
Status holds_only_its_own(const fs::path& target, const StagedOptions& options) {
  constexpr std::size_t kNamesMax = 3;
  std::vector<std::string> others;
  std::error_code error;
  for (fs::recursive_directory_iterator at(target, error), end; !error && at != end; at.increment(error)) {
    const fs::path name = at->path().lexically_relative(target);
    const bool folder = at->is_directory(error) && !at->is_symlink(error);
    if (folder || name == kLock || options.is_own(name)) continue;
    others.push_back(printable(name.string()));
  }
  if (error) return fail(Code::kFailed, "{}: cannot list it: {}", target.string(), error.message());
  if (others.empty()) return ok();
  std::sort(others.begin(), others.end());
  const std::size_t more = others.size() - std::min(others.size(), kNamesMax);
  others.resize(others.size() - more);
  return fail(Code::kInvalid,
              "{}: holds {}{}, not written by Dyad, and replacing the folder would delete it; move it away, or choose "
              "another folder", target.string(), fmt::join(others, ", "),
              more > 0 ? fmt::format(" and {} more", more) : "");
}

Status may_take(const fs::path& target, const StagedOptions& options) {
  std::error_code error;
  if (!fs::exists(target, error) || (fs::is_directory(target, error) && fs::is_empty(target, error))) return ok();
  if (!fs::exists(target / options.marker, error))
    return fail(Code::kInvalid, "{}: exists and holds no {}; choose another folder", target.string(), options.marker);
  if (!options.replace) return fail(Code::kInvalid, "{}: exists already; give --force to replace it", target.string());
  return holds_only_its_own(target, options);
}

}  // namespace

StagedFolder::StagedFolder(fs::path target, fs::path staged, int lock, StagedOptions options)
    : target_(std::move(target)), staged_(std::move(staged)), lock_(lock), options_(std::move(options)) {}
StagedFolder::StagedFolder(StagedFolder&& other) noexcept
    : target_(std::move(other.target_)), staged_(std::move(other.staged_)), lock_(std::exchange(other.lock_, -1)),
      options_(std::move(other.options_)) {}

StagedFolder::~StagedFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(staged_, ignored);
  ::close(lock_);
}

Result<StagedFolder> StagedFolder::create(const fs::path& given, const StagedOptions& options) {
  CHECK(!options.marker.empty() && options.is_own);
  DYAD_TRY(target, resolved(given));
  DYAD_TRYV(may_take(target, options));
  std::error_code error;
  if (!target.parent_path().empty()) fs::create_directories(target.parent_path(), error);
  remove_stale(target);
  const fs::path staged = target.parent_path() / fmt::format("{}{}", prefix_of(target), ::getpid());
  if (!fs::create_directory(staged, error))
    return fail(Code::kFailed, "{}: cannot create: {}", staged.string(),
                error ? error.message() : "it exists, and no interrupted run left it; move it away");
  const int lock = ::open((staged / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) return system_error("create", staged / kLock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const Error locked = system_error("lock", staged / kLock);
    ::close(lock);
    return locked;
  }
  return StagedFolder(target, staged, lock, options);
}

Status StagedFolder::commit() {
  CHECK(lock_ >= 0);
  DYAD_TRYV(may_take(target_, options_));                  // again: it may have appeared meanwhile
  std::error_code error;
  DYAD_TRYV(sync_folder(staged_));
  const bool replaces = fs::exists(target_, error);
  if (replaces) {
    fs::create_hard_link(staged_ / kLock, target_ / kLock, error);   // the old one is stale if we die before the end
    DYAD_TRYV(exchange(staged_, target_));
  } else if (::rename(staged_.c_str(), target_.c_str()) != 0) {
    return system_error("rename into place", target_);
  }
  fs::remove(target_ / kLock, error);
  if (replaces) fs::remove_all(staged_, error);            // the old one is there now
  ::close(std::exchange(lock_, -1));
  return sync_folder(target_.parent_path());
}

}  // namespace dyad::io
