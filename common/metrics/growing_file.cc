#include "common/metrics/growing_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <utility>
#include "common/base/log.h"
#include "common/io/atomic_file.h"

namespace dyad::metrics {

GrowingFile::GrowingFile(std::filesystem::path file, std::string text, std::size_t kept_max)
    : file_(std::move(file)), text_(std::move(text)), kept_max_(kept_max) {
  try_all();
}

GrowingFile::GrowingFile(GrowingFile&& other) noexcept
    : file_(std::move(other.file_)), text_(std::exchange(other.text_, {})), fd_(std::exchange(other.fd_, -1)),
      size_(other.size_), kept_max_(other.kept_max_), kept_(std::exchange(other.kept_, {})),
      lost_(std::exchange(other.lost_, 0)), late_(other.late_), failing_(std::exchange(other.failing_, false)),
      torn_(other.torn_), is_left_(std::exchange(other.is_left_, true)) {}

GrowingFile::~GrowingFile() {
  if (is_left_) return;
  const Status written = write_kept();
  if (!written && !has_begun())
    LOG_WARN("{}: it is not what it should be, and {} records are missing: {}", file_.string(), kept_.size() + lost_,
             written.error().message);
  else if (!written || lost_ > 0)
    LOG_WARN("{}: {} records are missing{}{}", file_.string(), kept_.size() + lost_, written ? "" : ": ",
             written ? "" : written.error().message);
  if (has_begun()) ::close(fd_);
}

Status GrowingFile::begin() {
  if (has_begun()) return ok();
  DYAD_TRYV(io::write_file_atomic(file_, text_));
  const int fd = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return io::system_error("append to", file_);
  fd_ = fd;
  size_ = static_cast<std::int64_t>(text_.size());
  text_ = {};
  return ok();
}

Status GrowingFile::cut_back() {
  while (torn_ && ::ftruncate(fd_, size_) != 0)
    if (errno != EINTR) return io::system_error("cut", file_);
  torn_ = false;
  return ok();
}

Status GrowingFile::write_kept() {
  DYAD_TRYV(begin());
  DYAD_TRYV(cut_back());
  while (!kept_.empty()) {
    const std::string& record = kept_.front();
    torn_ = true;
    Status written = io::write_all(fd_, std::as_bytes(std::span(record)), file_);
    if (!written) {
      (void)cut_back();                          // tried again before the next write
      return written;
    }
    torn_ = false;
    size_ += static_cast<std::int64_t>(record.size());
    kept_.pop_front();
    late_ += failing_ ? 1 : 0;
  }
  return ok();
}

bool GrowingFile::append(std::string record) {
  kept_.push_back(std::move(record));
  const bool written = try_all();
  for (; kept_.size() > kept_max_; kept_.pop_front()) ++lost_;   // the newest say more
  return written;
}

bool GrowingFile::try_all() {
  const Status written = write_kept();
  if (written && failing_) {
    LOG_INFO("{}: can be written again: {} records came late, {} are missing", file_.string(), late_, lost_);
    failing_ = false;
    late_ = 0;
  }
  if (written) return true;
  if (!failing_)
    LOG_WARN("{}; what comes is kept (at most {} records) and tried again, training goes on", written.error().message,
             kept_max_);
  failing_ = true;
  return false;
}

}  // namespace dyad::metrics
