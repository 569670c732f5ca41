#pragma once
// Appends events to a log in a directory: each to its user's partition, in record batches, segments rolled at a size.
// Opened on an existing log it goes on at its end; a batch that a crash cut short there is removed (and logged).
// Threads: one.  One writer a log. Memory: partitions x batch_events x 16 bytes.
#include <filesystem>
#include <memory>
#include <vector>
#include "common/data/log_source.h"

namespace dyad::data {

struct LogWriterOptions {
  std::uint32_t partitions = 8;
  std::size_t batch_events = 4096;              // at most 2^20
  std::size_t segment_bytes = 64u << 20;        // a segment is closed once it is this large
};

class LogWriter {
 public:
  // Fails with kInvalid if the log exists with another number of partitions or is damaged.
  static Result<LogWriter> open(const std::filesystem::path& log, const LogWriterOptions& options);
  LogWriter(LogWriter&&) noexcept;
  ~LogWriter();                                 // without close(), buffered events are lost
  Status append(const Event& event);
  Status flush();                               // buffered events become readable
  Status close();                               // flush, and sync to disk; no append after it
  std::uint64_t end(PartitionId partition) const;   // buffered events counted
  std::uint64_t digest(PartitionId partition) const; // of the events appended by this object, as an array of Event

 private:
  struct Partition;
  LogWriter(std::filesystem::path log, const LogWriterOptions& options);
  Status write_batch(Partition& partition);
  Status resume(Partition& partition);
  Status open_segment(Partition& partition);

  std::filesystem::path log_;
  LogWriterOptions options_;
  std::vector<std::unique_ptr<Partition>> partitions_;
};

}  // namespace dyad::data
