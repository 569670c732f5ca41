#pragma once
// One evaluation of a checkpoint, as `dyad eval` starts it, and its result: beside the checkpoint, to the job.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/config/config.h"
#include "common/wire/messages.h"
#include "coordinator/core/cuts.h"
#include "ops/launch/child.h"

namespace dyad::ops {

// What mpirun gets to end its ranks: less than the launcher gives its evaluator (ops/launch/local_cluster.cc).
inline constexpr int kMpirunEndMs = 4000;

struct EvalOptions {
  std::string checkpoint, follow, split = "validation", data, output;
  std::vector<std::string> sets;
  bool json = false;                         // on stdout instead of a table
  std::uint32_t ranks = 0;                   // 0: eval.workers
  std::optional<std::uint32_t> users;        // 0: all; none: as many as the job's own evaluation has
};

// The command line of the evaluation ranks under mpirun.
std::vector<std::string> worker_arguments(const EvalOptions& options, const std::string& checkpoint);

// Waits for the end of such an mpirun, or until `leave` says so. kDisconnected, after ending it, when one of its ranks
// here did nothing for a minute: it is frozen, and the others would wait for it for ever.
Status wait_for_ranks(Child& mpirun, const std::function<bool()>& leave);

// The result beside the checkpoint, if it is the job's own (ckpt::read_own_result), to the job's coordinator, or to its
// journal when no coordinator runs any more. What was told already may be told again. `rule`: see
// coordinator::record_evaluation.
Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split,
              const std::optional<coordinator::CutsOptions>& rule = {});

}  // namespace dyad::ops
