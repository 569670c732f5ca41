#include "common/metrics/curves.h"

#include <fstream>
#include <sys/stat.h>

namespace dyad::metrics {

void Curves::add(const StepRecord& record) {
  while (!points_.empty() && points_.back().step >= record.step) points_.pop_back();
  const bool other = points_.empty() || points_.back().records >= records_a_point_ ||
                     points_.back().sums.size() != record.values.size();
  if (other) points_.emplace_back();
  Point& point = points_.back();
  point.step = record.step;
  ++point.records;
  for (const auto& [name, value] : record.values) point.sums[name] += value;
  if (points_.size() <= kPointsMax) return;
  std::vector<Point> half;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (half.empty() || i % 2 == 0 || half.back().sums.size() != points_[i].sums.size()) {
      half.push_back(std::move(points_[i]));
      continue;
    }
    half.back().step = points_[i].step;
    half.back().records += points_[i].records;
    for (const auto& [name, sum] : points_[i].sums) half.back().sums[name] += sum;
  }
  points_ = std::move(half);
  records_a_point_ *= 2;
}

Status CurveFile::refresh() {
  struct stat now {};
  if (::stat(file_.c_str(), &now) != 0) now = {};
  if (now.st_ino != inode_ || static_cast<std::uint64_t>(now.st_size) < read_to_) {
    inode_ = now.st_ino;
    read_to_ = lines_ = 0;
    curves_.clear();
  }
  if (static_cast<std::uint64_t>(now.st_size) == read_to_) return ok();
  std::ifstream in(file_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(read_to_));
  for (std::string line; std::getline(in, line) && !in.eof();) {   // at eof: its end is not written yet
    read_to_ += line.size() + 1;
    ++lines_;
    StepRecord record;
    if (!parse_step_line(line, record)) return not_a_step_line(file_, lines_);
    curves_.add(record);
  }
  return ok();
}

}  // namespace dyad::metrics
