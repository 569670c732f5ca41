#pragma once
// Memory, and threads, that cannot be had: what tells it from a bug, and the code that a launcher reads (kOverloaded).
// Threads: any.
#include <exception>
#include "common/base/result.h"

namespace dyad {

// A caught exception as an error: kOverloaded where memory or a thread could not be had, else kFailed.
Error error_of(const std::exception& e);

// From now on this process ends by no signal for want of memory, but with kOverloaded and a word on stderr: neither
// where an exception leaves a thread, nor where a library aborts (ZeroMQ) or faults (oneDNN) instead of saying so. A
// broken promise of ours still aborts. Call it once, first of all in main.
void end_with_a_code_when_memory_is_short();

}  // namespace dyad
