#pragma once
// Event files of TensorBoard, the few messages that scalars need: no protobuf, the bytes are drawn here.
//   file   := record*                 the first says the file's version, the second that a series begins at its step:
//                                     a TensorBoard that followed an older file of the folder drops what it had
//   record := length u64 | masked crc32c of the length u32 | event [length] | masked crc32c of the event u32
//   event  := 1: wall_time double | 2: step int64 | 3: file_version | 5: summary { 1: value { 1: tag, 2: float }* }
//                                     | 7: session_log { 1: START }                               protobuf wire format
// Threads: one.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/metrics/growing_file.h"

namespace dyad::metrics {

struct ScalarEvent {
  double wall_time = 0;                          // unix seconds
  Step step;
  std::map<std::string, double> scalars;         // by tag
};

inline constexpr const char* kEventFolder = "tensorboard";             // in job.dir: the training's
inline constexpr const char* kValidationFolder = "validation";         // in that: TensorBoard shows it as a second run

// The events of all event files in `folder`, in step order; of several for one step that of the newest file. A torn or
// damaged tail of a file is left out. Empty when there is none.
Result<std::vector<ScalarEvent>> read_events(const std::filesystem::path& folder);

class EventFile {
 public:
  // Writes a new file with `events` (in step order) and removes the older ones of `folder`: one whole series stays.
  // On a full disk the older ones stay until there is room.
  static Result<EventFile> replace(const std::filesystem::path& folder, const std::vector<ScalarEvent>& events);
  bool append(const ScalarEvent& event);         // false: kept for later (growing_file.h)

 private:
  EventFile(GrowingFile file, std::vector<std::filesystem::path> older)
      : file_(std::move(file)), older_(std::move(older)) {}
  void remove_older();
  GrowingFile file_;
  std::vector<std::filesystem::path> older_;
};

}  // namespace dyad::metrics
