#pragma once
// What happened to a job and when, for people: the page, /metrics, `dyad ui`. Decides nothing.
// Threads: one.
#include <deque>
#include <filesystem>
#include <string>
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

inline constexpr std::size_t kEventsMax = 400;   // older ones are forgotten

struct Event {
  enum class Kind : std::uint8_t { kStarted, kResumed, kLost, kCheckpoint, kGivenUp, kEvaluated };
  Kind kind = Kind::kStarted;
  double unix_s = 0;                             // 0: written by a version that noted no times
  Step step;                                     // of a loss: the one that the job goes back to
  std::string text;
};
std::string kind_name(Event::Kind kind);         // "checkpoint"

class History {
 public:
  // Of a job's journal, while it is written or after; empty when there is none.
  static Result<History> read(const std::filesystem::path& job_dir);
  void add(const Entry& entry, double unix_s);
  const std::deque<Event>& events() const { return events_; }
  std::uint64_t restarts() const { return restarts_; }           // since the job began
  std::uint64_t committed_cuts() const { return committed_; }    // since the job began
  double last_cut_s() const { return last_cut_s_; }              // unix time, 0: none is known

 private:
  std::deque<Event> events_;
  std::uint64_t restarts_ = 0, committed_ = 0;
  double last_cut_s_ = 0;
  Step last_cut_;
};

}  // namespace dyad::coordinator
