#pragma once
// A checkpoint to recall: users go in fixed batches to the ranks, each user's places of the held-out item become
// counts, and the counts are summed over the ranks. Full catalogue, nothing sampled, seen items kept (EAGER
// section 4.1). Batches and counts do not depend on the number of ranks, so neither does the result. Rank 0 prints a
// table, and writes eval-<split>.json beside the checkpoint's files if the evaluation is the job's own: on its data and
// with the settings of the checkpoint's configuration. Others must not choose the best checkpoint.
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/comm/collective.h"

namespace CLI { class App; }

namespace dyad::worker {

struct EvalJobOptions {
  std::string checkpoint;                     // its folder
  std::string split = "validation";           // validation | test
  std::string data;                           // dataset folder; empty: the one it was trained on
  std::vector<std::string> sets;              // over the checkpoint's own configuration: "eval.beams=50"
  bool json = false;                          // the result as JSON on stdout instead of a table
  std::string output;                         // also write it to this file
  std::optional<std::uint32_t> users;         // the first so many in an order that the seed shuffles, 0: all; else as
                                              // the job does: eval.during_training_users, for test eval.users
  bool on_terminal = false;                   // what rank 0 says of its progress ends on one, though by mpirun's pipe
};
void add_eval_options(CLI::App& app, EvalJobOptions& options);

Status run_eval_job(const EvalJobOptions& options, comm::Collective& all);

}  // namespace dyad::worker
