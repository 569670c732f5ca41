#pragma once
// A file that grows by whole records and outlives a full disk: what could not be written is kept, in order, and tried
// again with the next record and at the end. A record that went in by half is cut off again, so that the file is at any
// time a whole one, and once there is room the one it would have been. Says once when it begins and once when it is
// over. Threads: one.  Memory: nothing, or at most kKeptMax records.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include "common/base/result.h"

namespace dyad::metrics {

class GrowingFile {
 public:
  static constexpr std::size_t kKeptMax = 100'000;

  static Result<GrowingFile> open(const std::filesystem::path& file, std::size_t kept_max = kKeptMax);
  GrowingFile(GrowingFile&& other) noexcept;
  GrowingFile& operator=(GrowingFile&&) = delete;
  ~GrowingFile();                                // tries what is kept for the last time; warns of what is left
  bool append(std::string record);               // one write, not synced; false: kept for later

 private:
  GrowingFile(std::filesystem::path file, int fd, std::int64_t size, std::size_t kept_max)
      : file_(std::move(file)), fd_(fd), size_(size), kept_max_(kept_max) {}
  Status write_kept();
  Status cut_back();
  std::filesystem::path file_;
  int fd_;
  std::int64_t size_;                            // of the whole records
  std::size_t kept_max_;
  std::deque<std::string> kept_;
  std::uint64_t lost_ = 0, late_ = 0;            // of this outage: too many to keep; written after all
  bool failing_ = false, torn_ = false;          // torn: there may be more in the file than size_
};

}  // namespace dyad::metrics
