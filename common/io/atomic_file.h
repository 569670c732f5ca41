#pragma once
// A file that is either whole or absent: bytes go to a temporary in the same folder, commit() syncs it, renames it over
// the target and syncs the folder. Dropped without commit(), the temporary is removed. Threads: one.  Memory: one
// buffer of 1 MiB.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/digest.h"
#include "common/base/result.h"

namespace dyad::io {

struct FileFacts {                      // what a manifest says of a file
  std::uint64_t bytes = 0, digest = 0;  // digest64 of all its bytes
};

class AtomicFile {
 public:
  // Creates missing folders above `path`. Fails with kFailed naming the file and the system's reason.
  static Result<AtomicFile> create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  // After it the file is on disk under its name; further writes are a bug.
  Result<FileFacts> commit();

 private:
  AtomicFile(std::filesystem::path target, std::filesystem::path temporary, int fd);
  Status write_through(std::span<const std::byte> bytes);

  std::filesystem::path target_, temporary_;
  int fd_ = -1;
  std::vector<std::byte> buffer_;
  Digest digest_;
  std::uint64_t bytes_ = 0;
};

// A device or a pipe (/dev/stdout) is written into: root could rename a file over it.
Result<FileFacts> write_file_atomic(const std::filesystem::path& path, std::string_view text);
// Makes the names in a folder (files created, renamed, removed) durable.
Status sync_folder(const std::filesystem::path& folder);
// The whole file. Fails with kNotFound if it does not exist, kFailed on a read error, both naming it.
Result<std::string> read_file(const std::filesystem::path& path);

// "PATH: why": the system's last error (errno) as an Error, kNotFound for ENOENT.
Error system_error(std::string_view doing, const std::filesystem::path& path);
// All of `bytes` to a descriptor, however many calls that takes.
Status write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path);

}  // namespace dyad::io
