#pragma once
// One job as its page shows it, whether its coordinator answers or only its folder is left. Threads: one.
#include <filesystem>
#include <string>
#include "common/base/result.h"

namespace dyad::ops {

class JobPage {
 public:
  // kNotFound: no such folder, or not that of a job; kInvalid: that of a checkpoint.
  static Result<JobPage> open(const std::string& folder);
  const std::string& name() const { return name_; }              // the folder, as it was given
  // In the form of /status.json: what the coordinator answers, or what the folder says when none does.
  Result<std::string> status();

 private:
  JobPage(std::filesystem::path dir, std::string name) : dir_(std::move(dir)), name_(std::move(name)) {}
  Result<std::string> from_folder();
  std::filesystem::path dir_;
  std::string name_;
  std::string shown_, stamp_;                                    // of the folder, and of what it was made
};

}  // namespace dyad::ops
