#pragma once
// A file that grows by whole records and outlives a full disk: what could not be written, its beginning too, is kept,
// in order, and tried again with the next record and at the end. A record that went in by half is cut off again, so
// that the file is at any time a whole one, and once there is room the one it would have been. Says once when it begins
// and once when it is over. Threads: one.  Memory: nothing, or its beginning and at most kKeptMax records.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include "common/base/result.h"

namespace dyad::metrics {

class GrowingFile {
 public:
  static constexpr std::size_t kKeptMax = 100'000;

  // Begins with `text`: until that could be written, what lies there stays as it is.
  explicit GrowingFile(std::filesystem::path file, std::string text, std::size_t kept_max = kKeptMax);
  GrowingFile(GrowingFile&& other) noexcept;
  GrowingFile& operator=(GrowingFile&&) = delete;
  ~GrowingFile();                                // tries what is kept for the last time; warns of what is left
  bool append(std::string record);               // one write, not synced; false: kept for later
  bool has_begun() const { return fd_ >= 0; }

 private:
  Status begin();
  Status write_kept();
  bool try_all();
  Status cut_back();
  std::filesystem::path file_;
  std::string text_;                             // as long as the file has not begun
  int fd_ = -1;                                  // -1: it has not
  std::int64_t size_ = 0;                        // of the whole records
  std::size_t kept_max_;
  std::deque<std::string> kept_;
  std::uint64_t lost_ = 0, late_ = 0;            // of this outage: too many to keep; written after all
  bool failing_ = false, torn_ = false;          // torn: there may be more in the file than size_
  bool is_left_ = false;                         // moved from
};

}  // namespace dyad::metrics
