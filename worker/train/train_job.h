#pragma once
// One rank of a training job, from its configuration to its last checkpoint: opens the data, registers with the
// coordinator, builds the model, loads the cut to resume from, trains, says goodbye.
#include <atomic>
#include <torch/torch.h>
#include "common/base/result.h"
#include "common/comm/collective.h"
#include "common/config/config.h"

namespace dyad::worker {

// `stop_signal` nonzero asks for a checkpoint and an early, clean end.
Status run_train_job(const config::Config& config, comm::Collective& all, torch::Device device,
                     const std::atomic<int>& stop_signal);

}  // namespace dyad::worker
