#pragma once
// A whole file, read-only, by mmap. The file must not shrink while it is mapped (ours are replaced by rename, never
// cut). Threads: immutable after open.  Ownership: the bytes live as long as the object.
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include "common/base/result.h"

namespace dyad::io {

class MappedFile {
 public:
  // Fails with kNotFound / kFailed naming the file, kInvalid if it is a pipe or a device. An empty file gives no bytes.
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dyad::io
