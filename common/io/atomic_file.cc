#include "common/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include "common/base/check.h"

namespace dyad::io {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  return target.parent_path() / fmt::format(".{}.tmp-{}-{}", target.filename().string(), ::getpid(), counter++);
}

}  // namespace

Error system_error(std::string_view doing, const std::filesystem::path& path) {
  const int error = errno;
  return fail(error == ENOENT ? Code::kNotFound : Code::kFailed, "{}: cannot {}: {}", path.string(), doing,
              std::strerror(error));
}

Status write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return ok();
}

AtomicFile::AtomicFile(std::filesystem::path target, std::filesystem::path temporary, int fd)
    : target_(std::move(target)), temporary_(std::move(temporary)), fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::move(other.temporary_)), fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)), digest_(std::move(other.digest_)), bytes_(other.bytes_) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  std::error_code error;
  if (!path.parent_path().empty()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail(Code::kFailed, "{}: cannot create its folder: {}", path.string(), error.message());
  std::filesystem::path temporary = temporary_beside(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return system_error("create", temporary);
  return AtomicFile(path, std::move(temporary), fd);
}

Status AtomicFile::write_through(std::span<const std::byte> bytes) {
  digest_.update(bytes);
  return write_all(fd_, bytes, temporary_);
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  CHECK(fd_ >= 0);
  bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    DYAD_TRYV(write_through(buffer_));
    buffer_.clear();
  }
  if (bytes.size() >= kBufferBytes) return write_through(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return ok();
}

Result<FileFacts> AtomicFile::commit() {
  CHECK(fd_ >= 0);
  DYAD_TRYV(write_through(buffer_));
  buffer_.clear();
  if (::fsync(fd_) != 0) return system_error("sync", temporary_);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) return system_error("rename into place", target_);
  ::close(std::exchange(fd_, -1));
  DYAD_TRYV(sync_folder(target_.parent_path()));
  return FileFacts{bytes_, digest_.value()};
}

namespace {

Result<FileFacts> write_into(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return system_error("open", path);
  const Status written = write_all(fd, bytes, path);
  const bool closed = ::close(fd) == 0;
  if (!written) return written.error();
  if (!closed) return system_error("close", path);
  return FileFacts{bytes.size(), digest64(bytes)};
}

}  // namespace

Result<FileFacts> write_file_atomic(const std::filesystem::path& path, std::string_view text) {
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
    return write_into(path, std::as_bytes(std::span(text)));
  DYAD_TRY(file, AtomicFile::create(path));
  DYAD_TRYV(file.write(text));
  return file.commit();
}

Status sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path place = folder.empty() ? "." : folder;
  const int fd = ::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error("open folder", place);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  errno = error;
  if (synced != 0 && error != EINVAL) return system_error("sync folder", place);  // EINVAL: a file system without it
  return ok();
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error("open", path);
  struct stat info {};
  std::string text;
  if (::fstat(fd, &info) == 0 && info.st_size > 0) text.reserve(static_cast<std::size_t>(info.st_size));
  std::vector<char> buffer(1 << 16);
  ssize_t n = 0;
  do {
    n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
  } while (n > 0 || (n < 0 && errno == EINTR));
  const int error = errno;
  ::close(fd);
  errno = error;
  if (n < 0) return system_error("read", path);
  return text;
}

}  // namespace dyad::io
