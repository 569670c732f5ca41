#pragma once
// The coordinator's memory on disk: an append-only file of records, synced before anybody is told what they say.
//   file   := "DYADJNL1" record*
//   record := length u32 | digest u64 (XXH3 of length and payload) | payload [length]      little-endian
// A record that a kill cut short is the torn tail: nobody was told of it, it is cut off at the next start with a
// warning. Damage before the last record is an error that names file and offset: the state after it can't be trusted.
// Threads: one.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/result.h"

namespace dyad::coordinator {

inline constexpr std::uint32_t kRecordBytesMax = 16u << 20;

// What is inside, for one who only looks: nothing is locked or cut off, a torn tail is left out. kNotFound: no file.
Result<std::vector<std::string>> read_journal(const std::filesystem::path& file);

class Journal {
 public:
  // Opens or creates, and locks; `records` gets what is inside, in order. kOverloaded: another process has it open.
  static Result<Journal> open(const std::filesystem::path& file, std::vector<std::string>& records);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  // Durable when it returns. After a failure (disk full) the journal is closed for writing: stop. Room is taken ahead,
  // so that a disk which a checkpoint has filled does not end the job here.
  Status append(const std::vector<std::string>& payloads);

 private:
  Journal(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}
  void reserve(std::uint64_t bytes);
  std::filesystem::path file_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0, reserved_ = 0;
};

}  // namespace dyad::coordinator
