#include "common/io/staged_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"

namespace dyad::io {
namespace {

namespace fs = std::filesystem;
constexpr const char* kLock = ".lock";

std::string prefix_of(const fs::path& target) { return target.filename().string() + ".tmp-"; }

// The folder's owner holds its lock file, or (before it made one, after it removed it) is the process of its name.
bool has_owner(const fs::path& staged, const std::string& prefix) {
  const int fd = ::open((staged / kLock).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    const long pid = std::strtol(staged.filename().string().c_str() + prefix.size(), nullptr, 10);
    return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
  }
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) != 0;
  ::close(fd);
  return locked;
}

// Removes what processes that are gone left beside the target.
void remove_stale(const fs::path& target) {
  const fs::path parent = target.parent_path().empty() ? "." : target.parent_path();
  const auto entries = list_folder(parent);
  if (!entries) return;                                    // creating the folder tells what is wrong
  std::error_code error;
  for (const fs::path& folder : entries.value()) {
    const bool ours = folder.filename().string().starts_with(prefix_of(target)) && fs::is_directory(folder, error);
    if (!ours || has_owner(folder, prefix_of(target))) continue;
    LOG_INFO("{}: removed, an interrupted run left it", folder.string());
    fs::remove_all(folder, error);
  }
}

// Both names exist: they change places at once, or (on a file system that cannot) one after the other.
Status exchange(const fs::path& staged, const fs::path& target) {
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return ok();
  const fs::path old = staged.string() + "-old";
  if (::rename(target.c_str(), old.c_str()) != 0) return system_error("move aside", target);
  if (::rename(staged.c_str(), target.c_str()) != 0) return system_error("rename into place", target);
  if (::rename(old.c_str(), staged.c_str()) != 0) return system_error("move aside", old);
  return ok();
}

Status may_take(const fs::path& target, const StagedOptions& options) {
  std::error_code error;
  if (!fs::exists(target, error) || (fs::is_directory(target, error) && fs::is_empty(target, error))) return ok();
  if (!fs::exists(target / options.marker, error))
    return fail(Code::kInvalid, "{}: exists and holds no {}; choose another folder", target.string(), options.marker);
  if (!options.replace) return fail(Code::kInvalid, "{}: exists already; give --force to replace it", target.string());
  return ok();
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
  CHECK(!options.marker.empty());
  const fs::path target = given.has_filename() ? given : given.parent_path();   // "data/" is "data"
  DYAD_TRYV(may_take(target, options));
  std::error_code error;
  if (!target.parent_path().empty()) fs::create_directories(target.parent_path(), error);
  remove_stale(target);
  const fs::path staged = target.parent_path() / fmt::format("{}{}", prefix_of(target), ::getpid());
  if (!fs::create_directory(staged, error))
    return fail(Code::kFailed, "{}: cannot create: {}", staged.string(), error.message());
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
  fs::remove(staged_ / kLock, error);
  DYAD_TRYV(sync_folder(staged_));
  const bool replaces = fs::exists(target_, error);
  if (replaces) {
    DYAD_TRYV(exchange(staged_, target_));
  } else if (::rename(staged_.c_str(), target_.c_str()) != 0) {
    return system_error("rename into place", target_);
  }
  ::close(std::exchange(lock_, -1));
  if (replaces) fs::remove_all(staged_, error);            // the old one is there now
  return sync_folder(target_.parent_path());
}

}  // namespace dyad::io
