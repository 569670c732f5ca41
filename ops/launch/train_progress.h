#pragma once
// The progress of a job, as its coordinator tells it: a bar on a terminal, plain lines elsewhere. Threads: one.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include "common/base/progress.h"

namespace dyad::ops {

class TrainProgress {
 public:
  explicit TrainProgress(std::filesystem::path job_dir) : job_dir_(std::move(job_dir)) {}
  // Cheap: asks at most once a second. `stop_requests`: how often the job was asked to stop; the first is answered.
  void tick(int stop_requests = 0);
  // Fills the bar of a job that is finished; that of another stays where it was. Says where worker 0's time went, too.
  void end(bool finished);

 private:
  void show(const std::string& status);
  void name_page();
  std::filesystem::path job_dir_;
  std::unique_ptr<Progress> progress_;
  std::string phases_, page_;
  bool is_stopping_ = false;
  double asked_s_ = 0;
};

// Where a resumed job goes on, and which checkpoints it passed over: from what its coordinator answers.
void print_resume(const std::filesystem::path& job_dir);

}  // namespace dyad::ops
