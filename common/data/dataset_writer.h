#pragma once
// Writes a dataset folder (dataset.h): events in log order, then the catalogue. The folder appears by rename at
// finish(). Threads: one.  Memory: the log writer's buffers.
#include <filesystem>
#include <string>
#include "common/base/result.h"
#include "common/data/log_writer.h"
#include "common/io/staged_folder.h"

namespace dyad::data {

struct DatasetWriterOptions {
  LogWriterOptions log;
  bool force = false;                                  // replace an existing dataset
};

class DatasetWriter {
 public:
  // Fails with kInvalid if `dir` exists (a dataset: unless force; anything else: always).
  static Result<DatasetWriter> create(const std::filesystem::path& dir, const DatasetWriterOptions& options);
  // Events of one user must come in their order; users in any.
  Status append(const Event& event);
  const std::filesystem::path& staged() const { return folder_.path(); }   // for further files, such as vectors/
  // Syncs everything and renames the folder into place. REQUIRES: every event's user and item are in the lists.
  // Fails with kInvalid for a user key that is empty or holds a line break.
  Status finish(std::span<const Item> items, std::span<const std::string> users);

 private:
  DatasetWriter(io::StagedFolder folder, LogWriter log, const DatasetWriterOptions& options);
  io::StagedFolder folder_;
  LogWriter log_;
  DatasetWriterOptions options_;
  std::uint64_t users_seen_ = 0, items_seen_ = 0;      // one more than the largest id appended
};

}  // namespace dyad::data
