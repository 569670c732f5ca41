#include "common/net/job_key.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>
#include <fmt/format.h>

namespace dyad::net {
namespace {

constexpr const char* kHead = "dyad job key 1";   // then "public <40 characters of Z85>" and "secret <40>"

Result<std::string> read_part(std::istream& in, const char* name, const std::filesystem::path& file) {
  std::string word, key;
  std::uint8_t raw[32];
  in >> word >> key;
  const bool whole = key.size() == 40 && key.find('\0') == std::string::npos;   // ZeroMQ would stop at a zero byte
  if (word == name && whole && zmq_z85_decode(raw, key.c_str()) != nullptr) return key;
  return fail(Code::kInvalid, "{}: the {} key is missing or damaged; copy the file again, or make a new one for the "
              "whole job with `dyad key`", file.string(), name);
}

}  // namespace

Status write_job_key(const std::filesystem::path& file) {
  DYAD_TRY(pair, make_key_pair());
  const std::string text = fmt::format("{}\npublic {}\nsecret {}\n", kHead, pair.public_key, pair.secret_key);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return fail(Code::kInvalid, "{} exists; a job that uses it would be locked out: remove it yourself first",
                file.string());
  if (fd < 0) return fail(Code::kFailed, "{}: {}", file.string(), std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (written) return ok();
  ::unlink(file.c_str());
  return fail(Code::kFailed, "{}: {}", file.string(), std::strerror(error));
}

Result<Security> read_job_key(const std::filesystem::path& file) {
  if (file.empty()) return Security{};
  std::ifstream in(file);
  if (!in)
    return fail(Code::kNotFound, "{}: cannot read the job's key ({}); `dyad key` makes one", file.string(),
                std::strerror(errno));
  std::string head;
  std::getline(in, head);
  if (head != kHead)
    return fail(Code::kInvalid, "{}: not a job key (its first line must be \"{}\")", file.string(), kHead);
  DYAD_TRY(public_key, read_part(in, "public", file));
  DYAD_TRY(secret_key, read_part(in, "secret", file));
  return Security{{public_key, secret_key}, public_key};
}

}  // namespace dyad::net
