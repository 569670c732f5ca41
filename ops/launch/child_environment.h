#pragma once
// What the children of a launcher inherit: its own environment, with the launcher's name in it
// (common/base/process.h), without the word of a scheduler or of an outer mpirun. Inside an allocation of Slurm, or
// below another mpirun, our mpirun would take these for its own: ask for nodes, or join a job that is not there.
// Threads: any.
#include <string>
#include <vector>

namespace dyad::ops {

// `environment`: NAME=VALUE strings that end with a null pointer. `keep_scheduler`: only the launcher's name is added.
std::vector<std::string> child_environment(const char* const* environment, bool keep_scheduler = false);

}  // namespace dyad::ops
