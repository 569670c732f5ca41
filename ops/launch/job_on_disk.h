#pragma once
// What a job's folder says of the job when none of its processes runs. Threads: any.
#include <filesystem>
#include <string>
#include "common/base/result.h"
#include "common/ckpt/manifest.h"
#include "common/config/config.h"

namespace dyad::ops {

// Whether a job whose last checkpoint is this one has nothing left to do.
bool is_finished(const config::Config& config, const ckpt::Manifest& last);
// Warns when the job's last checkpoint was trained with other vector instructions than this machine would go on with.
void warn_of_other_kernels(const config::Config& config);
// The job as its coordinator's /status.json would tell it, with "state" one of finished, stopped. kNotFound: not the
// folder of a job.
Result<std::string> status_on_disk(const std::filesystem::path& job_dir);
// From the coordinator, or from the folder when nobody is at work in it. kDisconnected: the coordinator, or a launcher
// that may start it again, is there and does not answer.
Result<std::string> status_of(const std::filesystem::path& job_dir, int timeout_ms);

}  // namespace dyad::ops
