#pragma once
// Standard output as a result that can be lost: a full disk, a closed descriptor, a reader that has left.
#include "common/base/result.h"

namespace dyad::cli {

enum class Output { kWritten, kNoReader, kLost };

// Once, before anything is opened: of descriptors 0 to 2 that are closed, makes some that fail. A file of ours would
// get the number else, and what is printed with it. SIGPIPE is ignored: a reader that leaves ends no program.
void guard_descriptors();

// Writes what stdout still buffers. `why`: the system's word for kLost. What failed earlier is not forgotten.
Output flush_output(std::string& why);

// For a command that prints for long: whether it can stop. The end of the program says why.
bool is_output_lost();

}  // namespace dyad::cli
