#pragma once
// Curves over the steps, thinned to what a picture can show: each point is the mean of equally many records, so a curve
// is as smooth in one place as in another, however often the job went back to a checkpoint. Threads: one.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>
#include <sys/types.h>
#include "common/metrics/step_log.h"

namespace dyad::metrics {

class Curves {
 public:
  static constexpr std::size_t kPointsMax = 400;

  struct Point {
    Step step;                                   // of its last record
    std::uint64_t records = 0;
    std::map<std::string, double> sums;
    double mean(const std::string& name) const { return sums.at(name) / static_cast<double>(records); }
  };
  // Records come in step order; one at an earlier step drops what lies behind it (the job went back to a cut).
  void add(const StepRecord& record);
  void clear() { *this = Curves(); }
  const std::vector<Point>& points() const { return points_; }

 private:
  std::vector<Point> points_;
  std::uint64_t records_a_point_ = 1;
};

// The curves of a steps.jsonl that grows, or that a restarted job replaces.
class CurveFile {
 public:
  explicit CurveFile(std::filesystem::path file) : file_(std::move(file)) {}
  // Reads what was added since. kInvalid, naming the line: not a line of a training curve; what came before it stays.
  Status refresh();
  bool exists() const { return inode_ != 0; }
  const Curves& curves() const { return curves_; }

 private:
  std::filesystem::path file_;
  ino_t inode_ = 0;
  std::uint64_t read_to_ = 0, lines_ = 0;
  Curves curves_;
};

}  // namespace dyad::metrics
