#include "common/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <utility>
#include "common/io/atomic_file.h"

namespace dyad::io {

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);   // a FIFO: wait for no writer
  if (fd < 0) return system_error("open", path);
  MappedFile file;
  file.path_ = path;
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  if (known && S_ISDIR(info.st_mode)) errno = EISDIR;
  if (!known || S_ISDIR(info.st_mode)) {
    const Error error = system_error("read", path);
    ::close(fd);
    return error;
  }
  if (!S_ISREG(info.st_mode)) {              // a pipe or a device has no size: it would pass for an empty file
    ::close(fd);
    return fail(Code::kInvalid, "{}: not a regular file; write it to a file first", path.string());
  }
  if (info.st_size > 0) {
    const auto size = static_cast<std::size_t>(info.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const Error error = system_error("map", path);
      ::close(fd);
      return error;
    }
    file.data_ = data;
    file.size_ = size;
  }
  ::close(fd);
  return file;
}

}  // namespace dyad::io
