#pragma once
// Parts of cuts between the writer that finishes them and the coordinator, which is told of each again and again until
// the cut is committed or given up: one that was killed in between knows only what it is told again.
// Threads: put() any, the rest one.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>
#include "common/control/client.h"

namespace dyad::ps {

class CutReports {
 public:
  using Parts = std::vector<wire::FilePart>;
  explicit CutReports(double repeat_s = 0.5) : repeat_s_(repeat_s) {}
  void put(Step step, Result<Parts> parts);
  // Says new parts, waiting for the first at most timeout_ms, and old ones when it is time. A coordinator that does not
  // answer is no error: it may come back, and how long that may take is the caller's to say. Any other refusal but
  // kStale is one. A part that could not be written is said too: its cut is given up, and the job goes on.
  Status run(control::ControlClient& control, int timeout_ms);
  bool all_settled() const;                      // committed or given up, what was put so far

 private:
  std::optional<std::pair<Step, Result<Parts>>> take(int timeout_ms);
  Status say(control::ControlClient& control, std::map<Step, wire::CutPart>::iterator part);
  const double repeat_s_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::pair<Step, Result<Parts>>> written_;             // under mutex_
  std::map<Step, wire::CutPart> open_;                             // files, or why there are none; not settled yet
  double again_s_ = 0;
};

}  // namespace dyad::ps
