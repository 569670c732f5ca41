#pragma once
// What would stop a job on this machine however often it is tried, and can be known before anything is started:
// programs that are not there, a port for two, a device that is not there, folders that can't be written. Threads: one.
#include <functional>
#include "common/base/result.h"
#include "common/config/config.h"

namespace dyad::ops {

// kNotFound, naming the file and the command that makes it: job.data without a dataset, its codes or, with model.gct,
// its vectors. What they hold is checked by those who read it.
Status check_data(const config::Config& config);
// kInvalid, naming the key or the folder: a folder of the job that can't be written.
Status check_writable(const std::filesystem::path& job_dir);
// kInvalid, naming the key: servers, coordinator and HTTP of one machine on one port.
Status check_ports(const config::Config& config);
// kNotFound: a program; kInvalid: the ports, train.kernels that this processor lacks, or train.device = "cuda" where no
// worker could use it.
// Workers that run elsewhere look at their own machines. When `stop` is true it ends at once, well and with whomever it
// asked: a GPU's driver may take minutes.
Status check_machine(const config::Config& config, bool workers_here, const std::function<bool()>& stop);

}  // namespace dyad::ops
