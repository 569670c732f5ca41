#include "coordinator/journal/journal.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/io/atomic_file.h"

namespace dyad::coordinator {
namespace {

constexpr std::string_view kMagic = "DYADJNL1";
constexpr std::uint64_t kAheadBytes = 1 << 20;
constexpr std::size_t kHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

std::uint64_t record_digest(std::uint32_t length, std::string_view payload) {
  Digest digest;
  digest.update(std::as_bytes(std::span(&length, 1)));
  digest.update(std::as_bytes(std::span(payload)));
  return digest.value();
}

std::string record(std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint64_t digest = record_digest(length, payload);
  std::string out(kHead, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  std::memcpy(out.data() + sizeof length, &digest, sizeof digest);
  return out.append(payload);
}

// The length of the whole record at `at`, 0 if there is none that is complete and unharmed.
std::size_t record_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() - at < kHead) return 0;
  std::uint32_t length = 0;
  std::uint64_t digest = 0;
  std::memcpy(&length, bytes.data() + at, sizeof length);
  std::memcpy(&digest, bytes.data() + at + sizeof length, sizeof digest);
  if (length > kRecordBytesMax || bytes.size() - at - kHead < length) return 0;
  return record_digest(length, bytes.substr(at + kHead, length)) == digest ? kHead + length : 0;
}

// Whether any whole record lies after `at`: then what is at `at` is no torn tail.
bool has_record_after(std::string_view bytes, std::size_t at) {
  for (std::size_t i = at + 1; i + kHead < bytes.size(); ++i)
    if (record_at(bytes, i) > kHead) return true;
  return false;
}

// Fills `records`; gives where the unharmed part ends.
Result<std::size_t> scan(std::string_view bytes, const std::filesystem::path& file, std::vector<std::string>& records) {
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size()))
    return fail(Code::kInvalid, "{} is no journal of a coordinator (or of another version); move it away",
                file.string());
  std::size_t at = kMagic.size();
  while (at < bytes.size()) {
    const std::size_t length = record_at(bytes, at);
    if (length == 0) break;
    records.emplace_back(bytes.substr(at + kHead, length - kHead));
    at += length;
  }
  if (at < bytes.size() && has_record_after(bytes, at))
    return fail(Code::kInvalid,
                "{}: damaged at offset {} with good records after it; move the file away and start again with --resume",
                file.string(), at);
  return at;
}

}  // namespace

Result<std::vector<std::string>> read_journal(const std::filesystem::path& file) {
  std::vector<std::string> records;
  DYAD_TRY(bytes, io::read_file(file));
  DYAD_TRYV(scan(bytes, file, records));
  return records;
}

Result<Journal> Journal::open(const std::filesystem::path& file, std::vector<std::string>& records) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Code::kFailed, "cannot open {}: {}", file.string(), std::strerror(errno));
  Journal journal(file, fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return fail(Code::kOverloaded, "{} is in use: a coordinator of this job is running already", file.string());
  DYAD_TRY(bytes, io::read_file(file));
  const bool fresh = bytes.size() < kMagic.size();
  DYAD_TRY(end, scan(bytes, file, records));
  if (!fresh && end < bytes.size())
    LOG_WARN("{}: the last record was cut short at offset {} ({} bytes dropped)", file.string(), end,
             bytes.size() - end);
  if (::ftruncate(fd, fresh ? 0 : static_cast<off_t>(end)) != 0)
    return fail(Code::kFailed, "cannot cut {} at {}: {}", file.string(), end, std::strerror(errno));
  if (fresh) {
    DYAD_TRYV(io::write_all(fd, std::as_bytes(std::span(kMagic)), file));
    DYAD_TRYV(io::sync_folder(file.parent_path()));
  }
  journal.bytes_ = fresh ? kMagic.size() : end;
  journal.reserve(0);
  return journal;
}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}
Journal::Journal(Journal&& other) noexcept
    : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_),
      reserved_(other.reserved_) {}

Status Journal::append(const std::vector<std::string>& payloads) {
  if (payloads.empty()) return ok();
  if (fd_ < 0) return fail(Code::kFailed, "{} was closed after a failed write", file_.string());
  std::string bytes;
  for (const std::string& payload : payloads) {
    if (payload.size() > kRecordBytesMax)        // its reader would take it, and all behind it, for damage
      return fail(Code::kFailed, "{}: a record of {} bytes, at most {} can be read again", file_.string(),
                  payload.size(), kRecordBytesMax);
    bytes += record(payload);
  }
  reserve(bytes.size());
  auto status = io::write_all(fd_, std::as_bytes(std::span(bytes)), file_);
  if (status.has_value() && ::fsync(fd_) != 0) status = io::system_error("sync", file_);
  if (!status.has_value()) ::close(std::exchange(fd_, -1));
  bytes_ += bytes.size();
  return status;
}

// The file's size stays; a file system that can't do this has no room to take.
void Journal::reserve(std::uint64_t bytes) {
  if (bytes_ + bytes + kAheadBytes / 2 <= reserved_) return;
  if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(bytes_), static_cast<off_t>(bytes + kAheadBytes)) == 0)
    reserved_ = bytes_ + bytes + kAheadBytes;
}

}  // namespace dyad::coordinator
