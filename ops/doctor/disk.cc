// Writes one file of 32 MB and takes it away again.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include "common/base/clock.h"
#include "ops/doctor/finding.h"

namespace dyad::ops::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1u << 20, kPieces = 32;
constexpr double kMb = 1e6, kGb = 1e9;

fs::path nearest_folder(const fs::path& wanted) {
  std::error_code ignored;
  fs::path path = fs::absolute(wanted, ignored).lexically_normal();
  while (!fs::is_directory(path, ignored) && path.has_parent_path() && path != path.parent_path())
    path = path.parent_path();
  return path;
}

Finding space(const char* thing, const fs::path& folder, double fail_below, double warn_below, const char* advice) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0)
    return bad(thing, fmt::format("{}: {}", folder.string(), std::strerror(errno)), "name a folder that is there");
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  return by_limit(thing, fmt::format("{:.1f} GB free in {}", free / kGb, folder.string()), free, fail_below, warn_below,
                  advice);
}

class TrialFile {
 public:
  explicit TrialFile(const fs::path& folder) : path_(folder / fmt::format(".dyad-doctor-{}", getpid())) {
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  }
  ~TrialFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(path_.c_str());
  }
  int fd() const { return fd_; }

 private:
  fs::path path_;
  int fd_;
};

Findings speed(const fs::path& folder) {
  const TrialFile file(folder);
  if (file.fd() < 0)
    return {bad("job.dir", fmt::format("{}: {}", folder.string(), std::strerror(errno)),
                "choose a job.dir that can be written")};
  const std::string piece(kPieceBytes, 'x');
  const double begin = steady_now_s();
  bool written = true;
  for (std::size_t i = 0; written && i < kPieces; ++i)
    written = write(file.fd(), piece.data(), piece.size()) == static_cast<ssize_t>(piece.size());
  written = written && fsync(file.fd()) == 0;
  if (!written)
    return {bad("disk speed", fmt::format("writing in {}: {}", folder.string(), std::strerror(errno)),
                "make room, or choose another job.dir")};
  const double rate = static_cast<double>(kPieces * kPieceBytes) / kMb / (steady_now_s() - begin);
  Findings out{by_limit("disk speed", fmt::format("{:.0f} MB/s written and synced in {}", rate, folder.string()), rate,
                        0, 30, "a checkpoint is written at this speed: take a local disk, or checkpoint less often")};
  struct stat status {};
  timespec now{};
  if (fstat(file.fd(), &status) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0) {
    const double apart = static_cast<double>(now.tv_sec - status.st_mtim.tv_sec);
    out.push_back(apart > -2 && apart < 2
                      ? good("disk clock", "that of this machine")
                      : warn("disk clock", fmt::format("{:.0f} s behind this machine's", apart),
                             "a file server with another clock: synchronize both"));
  }
  return out;
}

}  // namespace

Findings look_at_disk(const config::Config& config) {
  const fs::path folder = nearest_folder(config.job.dir);
  Findings out{
      space("disk space", folder, 0.2 * kGb, 5 * kGb,
            "make room: checkpoint.keep checkpoints of rows, optimizer state and dense weights lie in job.dir"),
      space("shared memory", "/dev/shm", 0.03 * kGb, 0.2 * kGb,
            "ranks of one machine talk through /dev/shm: in a container give --shm-size=1g")};
  for (auto& finding : speed(folder)) out.push_back(std::move(finding));
  return out;
}

}  // namespace dyad::ops::doctor
