#pragma once
// Evaluation behind a training: each checkpoint of a job, as it is committed.
#include "ops/evaluation.h"

namespace dyad::ops {

// SIGUSR1: evaluate what is there, then leave. SIGTERM, SIGINT: leave.
Status follow(EvalOptions options);

}  // namespace dyad::ops
