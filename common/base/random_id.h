#pragma once
// Numbers that nobody else draws: the name of a start of a process, or of a life of a job. Not for anything that
// decides a result (random.h is).
#include "common/base/ids.h"

namespace dyad {

using RunId = Id<struct RunTag, std::uint64_t>;   // a life of a job, from a fresh start or a resume to its end; 0: none
std::uint64_t random_id();                        // from the system's entropy; never 0

}  // namespace dyad
