#pragma once
// A folder that appears whole or not at all: built as TARGET.tmp-<pid>, renamed by commit(). A process that is killed
// leaves its .tmp-<pid> folder; the next create() for the same target removes those whose owner is gone (each holds a
// file of ours, locked while it is alive) and no other folder. A target that is a link is where the link points. A
// target that is replaced changes places with the new folder at once. Dropped without commit(), the folder is removed.
// Threads: one.
#include <filesystem>
#include <functional>
#include <string>
#include "common/base/result.h"

namespace dyad::io {

struct StagedOptions {
  bool replace = false;                 // an existing target may be replaced ...
  std::string marker;                   // ... if it is empty, or holds this file
  std::function<bool(const std::filesystem::path&)> is_own;   // and no file but these, by their paths in it
};

class StagedFolder {
 public:
  // Fails with kInvalid when the name is empty, and when the target exists and may not be replaced: asks for --force,
  // or names what would be deleted with it.
  static Result<StagedFolder> create(const std::filesystem::path& target, const StagedOptions& options);
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;
  ~StagedFolder();
  const std::filesystem::path& path() const { return staged_; }     // build here
  Status commit();

 private:
  StagedFolder(std::filesystem::path target, std::filesystem::path staged, int lock, StagedOptions options);
  std::filesystem::path target_, staged_;
  int lock_ = -1;
  StagedOptions options_;
};

}  // namespace dyad::io
