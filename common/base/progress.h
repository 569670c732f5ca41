#pragma once
// Progress of long work: a bar on a terminal, a plain line every few seconds elsewhere. Writes to stderr.
// Threads: one.
#include <cstdint>
#include <string>

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
  static bool is_terminal();                                            // whether this process's stderr is one

 private:
  void draw(const std::string& note, bool last);
  std::string label_, unit_;
  std::uint64_t total_, done_ = 0;
  double start_s_, drawn_s_ = 0;
  bool terminal_, ended_ = false;
};

}  // namespace dyad
