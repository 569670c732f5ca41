#pragma once
// The training curve of a job, kept: a line of JSON per logged step, in step order, nothing in it that a clock decided.
// So a sync job that was killed and went on from a cut leaves the same file as one that never was.
//   {"step":40,"epoch":0,"lr":8e-05,"samples":512,"loss":12.84,"loss.gen.behaviour.1":5.53,...}
// Threads: one owner.
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

struct StepRecord {
  Step step;
  std::uint64_t epoch = 0;
  std::map<std::string, double> values;          // finite
};

inline constexpr const char* kStepLogName = "steps.jsonl";   // in job.dir

// Empty when there is no such file. A torn last line (of a killed writer) is left out; kInvalid naming the line for any
// other that is none of ours.
Result<std::vector<StepRecord>> read_step_log(const std::filesystem::path& file);

// One line without its end; false when it is none of ours.
bool parse_step_line(std::string_view text, StepRecord& out);
Error not_a_step_line(const std::filesystem::path& file, std::uint64_t number);

class StepLog {
 public:
  // Keeps the lines up to step `from` and drops those after it: the run computes them again. Fails when what lies there
  // can't be read; a full disk is waited for (growing_file.h).
  static Result<StepLog> open(const std::filesystem::path& file, Step from);
  bool append(const StepRecord& record);         // false: kept for later (growing_file.h)

 private:
  explicit StepLog(GrowingFile file) : file_(std::move(file)) {}
  GrowingFile file_;
};

}  // namespace dyad::metrics
