// dyad eval: starts the evaluation ranks under mpirun, once or behind each checkpoint of a running job.
#include <memory>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include "ops/command.h"
#include "ops/follower.h"

namespace dyad::ops {
namespace {

// In place of this process: the terminal, the signals and the exit code are mpirun's.
Status evaluate_once(const EvalOptions& options) {
  auto argv = worker_arguments(options, options.checkpoint);
  std::vector<char*> raw;
  for (auto& a : argv) raw.push_back(a.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  return fail(Code::kNotFound, "cannot start mpirun; install Open MPI (tools/setup.sh) or put it in PATH");
}

}  // namespace

void add_eval_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("eval", "Measure recall and NDCG of a checkpoint by distributed beam search");
  auto options = std::make_shared<EvalOptions>();
  auto* checkpoint =
      command->add_option("checkpoint", options->checkpoint, "folder of the checkpoint, such as run/checkpoints/best");
  command->add_option("--follow", options->follow, "job folder: evaluate each checkpoint as it is committed")
      ->excludes(checkpoint);
  command->add_option("--split", options->split, "which held-out items")
      ->check(CLI::IsMember({"validation", "test"}))
      ->capture_default_str();
  command->add_option("--ranks", options->ranks, "MPI ranks that share the users")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--users", options->users, "only so many users, drawn by the seed (0: eval.users)");
  command->add_option("--data", options->data, "dataset folder, if not the one it was trained on");
  command->add_option("--json", options->json, "write the result to this file too");
  command->add_option("--set", options->sets, "over the checkpoint's configuration, such as eval.beams=50 (repeatable)")
      ->allow_extra_args(false);
  command->footer("Example: dyad eval run/checkpoints/best --split test --ranks 2 --json test.json");
  command->callback([options, &exit_code] {
    if (options->checkpoint.empty() && options->follow.empty())
      exit_code = finish(fail(Code::kInvalid, "name a checkpoint, or a job with --follow"));
    else
      exit_code = finish(options->follow.empty() ? evaluate_once(*options) : follow(*options));
  });
}

}  // namespace dyad::ops
