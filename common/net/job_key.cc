#include "common/net/job_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <fmt/format.h>
#include "common/base/log.h"
#include "common/base/utf8.h"

namespace dyad::net {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead = "dyad job key 1";   // then "public <40 characters of Z85>" and "secret <40>"
constexpr mode_t kOthers = 077;

Error errno_error(const fs::path& file) {
  return fail(Code::kFailed, "{}: {}", file.string(), std::strerror(errno));
}

// Writes a new pair to a file that does not exist yet. errno tells why not.
bool create(const fs::path& file, const KeyPair& pair) {
  const std::string text = fmt::format("{}\npublic {}\nsecret {}\n", kHead, pair.public_key, pair.secret_key);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) ::unlink(file.c_str());
  errno = error;
  return written;
}

Result<std::string> read_part(std::istream& in, const char* name, const fs::path& file) {
  std::string word, key;
  std::uint8_t raw[32];
  in >> word >> key;
  const bool whole = key.size() == 40 && key.find('\0') == std::string::npos;   // ZeroMQ would stop at a zero byte
  if (word == name && whole && zmq_z85_decode(raw, key.c_str()) != nullptr) return key;
  return fail(Code::kInvalid, "{}: the {} key is missing or damaged; copy the file again, or make a new one for the "
              "whole job with `dyad key`", file.string(), name);
}

// A key that others could read is no key; one that another user put there is theirs.
Status check_private(const struct stat& info, const fs::path& file) {
  if (info.st_uid != ::geteuid() && info.st_uid != 0 && ::geteuid() != 0)
    return fail(Code::kInvalid, "{}: belongs to another user (uid {}), who knows this key; use one of your own",
                file.string(), info.st_uid);
  if ((info.st_mode & kOthers) == 0) return ok();
  return fail(Code::kInvalid,
              "{}: others may read this key (mode {:03o}): `chmod 600 {}`, and if they may have done so make a new one "
              "with `dyad key`",
              file.string(), info.st_mode & 0777u, file.string());
}

Result<std::string> read_private(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);   // a FIFO: wait for no writer
  if (fd < 0)
    return fail(errno == ENOENT ? Code::kNotFound : Code::kInvalid, "{}: cannot read the job's key: {}", file.string(),
                std::strerror(errno));
  struct stat info {};
  char text[512];
  const bool known = ::fstat(fd, &info) == 0;
  const ssize_t n = ::read(fd, text, sizeof text);
  const int error = errno;
  ::close(fd);
  if (!known || n < 0) return fail(Code::kInvalid, "{}: {}", file.string(), std::strerror(error));
  DYAD_TRYV(check_private(info, file));
  return std::string(text, static_cast<std::size_t>(n));
}

}  // namespace

Status write_job_key(const fs::path& file) {
  DYAD_TRY(pair, make_key_pair());
  if (create(file, pair)) return ok();
  if (errno != EEXIST) return errno_error(file);
  return fail(Code::kInvalid, "{} exists; a job that uses it would be locked out: remove it yourself first",
              file.string());
}

Status ensure_job_key(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0) {
    if ((info.st_mode & kOthers) == 0 || info.st_uid != ::geteuid()) return ok();
    if (::chmod(file.c_str(), 0600) != 0) return errno_error(file);
    LOG_WARN("{}: others could read this key (mode {:03o}); made private again. If somebody may have read it, remove "
             "the file while the job does not run: a new one is made", file.string(), info.st_mode & 0777u);
    return ok();
  }
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) return fail(Code::kFailed, "{}: cannot create its folder: {}", file.string(), error.message());
  DYAD_TRY(pair, make_key_pair());
  const fs::path whole = file.parent_path() / fmt::format(".{}.tmp-{}", file.filename().string(), ::getpid());
  ::unlink(whole.c_str());                       // of a process that was killed and had our number
  if (!create(whole, pair)) return errno_error(whole);
  const bool placed = ::link(whole.c_str(), file.c_str()) == 0 || errno == EEXIST;   // another made it first
  const bool no_links = !placed && (errno == EPERM || errno == ENOTSUP || errno == EMLINK);
  if (no_links && ::rename(whole.c_str(), file.c_str()) == 0) return ok();
  const Status status = placed ? ok() : Status(errno_error(file));
  ::unlink(whole.c_str());
  return status;
}

Result<Security> read_job_key(const fs::path& file) {
  if (file.empty()) return Security{};
  DYAD_TRY(text, read_private(file));
  std::string plain(without_byte_order_mark(text));          // copied through another system
  std::erase(plain, '\r');
  std::istringstream in(plain);
  std::string head;
  std::getline(in, head);
  if (head != kHead)
    return fail(Code::kInvalid, "{}: not a job key (its first line must be \"{}\")", file.string(), kHead);
  DYAD_TRY(public_key, read_part(in, "public", file));
  DYAD_TRY(secret_key, read_part(in, "secret", file));
  return Security{{public_key, secret_key}, public_key};
}

}  // namespace dyad::net
