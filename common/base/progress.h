#pragma once
// Progress of long work: a bar that fits its terminal, a plain line every few seconds elsewhere. Writes to stderr,
// nothing with --quiet (quiet.h). Threads: one bar at a time; a log line of any thread wipes it first.
#include <cstdint>
#include <string>
#include "common/base/progress_line.h"

namespace dyad {

class Progress {
 public:
  // "train", 1200, "steps".
  Progress(std::string label, std::uint64_t total, std::string unit, bool on_terminal = is_terminal());
  ~Progress();                                                          // ends the line if finish() was not called
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void at(std::uint64_t done, const std::string& note = "");            // cheap: draws at most 5 times a second
  void finish(const std::string& note = "");
  static bool is_terminal();              // whether this process's stderr is one that a bar can be drawn on

 private:
  void draw();
  ProgressState state_;
  std::uint64_t first_ = 0;               // done when it was first told: a resumed job's own work begins there
  double start_s_, first_s_ = 0, drawn_s_ = 0;
  bool terminal_, ended_ = false;
};

// A line for the person who waits, on stderr, none with --quiet: above the bar, if there is one.
void notice(const std::string& line);
// Wipes the bar that is on the terminal now, so that another line can be written there.
void wipe_progress();

}  // namespace dyad
