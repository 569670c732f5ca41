// dyad eval: starts the evaluation ranks under mpirun, once or behind each checkpoint of a running job.
#include <atomic>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "common/base/log.h"
#include "common/base/progress.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"
#include "common/io/files.h"
#include "coordinator/journal/start.h"
#include "ops/checkpoint_path.h"
#include "ops/command.h"
#include "ops/follower.h"
#include "ops/launch/child.h"
#include "ops/relay.h"

namespace dyad::ops {
namespace {

std::atomic<int> leave{0};               // the signal that asked for it
void on_leave(int number) { leave = number; }

// On this terminal. Gives mpirun's exit code, or 128 + the signal that ended it: mpirun's own would be 1.
Result<int> run_here(std::vector<std::string> argv) {
  on_stop_signals(on_leave);
  if (Progress::is_terminal()) argv.push_back("--terminal");
  DYAD_TRY(relay, Relay::open());
  DYAD_TRY(child, Child::start("mpirun", std::move(argv), /*log=*/{}, {.orphan_signal = SIGTERM}));
  relay.started();
  const Status ended = wait_for_ranks(child, [&relay] {
    relay.pass_on();
    return leave != 0;
  });
  relay.pass_on();
  DYAD_TRYV(ended);
  if (leave) {
    child.kill(kMpirunEndMs);
    return 128 + leave;
  }
  if (*child.poll() == 127)
    return fail(Code::kNotFound, "cannot start mpirun; install Open MPI (tools/setup.sh) or put it in PATH");
  return *child.poll();
}

// When the result beside the checkpoint was written; the earliest time when there is none.
std::filesystem::file_time_type kept_at(const EvalOptions& options) {
  std::error_code ignored;
  return std::filesystem::last_write_time(ckpt::eval_file(options.checkpoint, options.split), ignored);
}

// A result that is the job's own, and so was kept, counts for it, whoever made it: `best` may move. Elsewhere there is
// no job to tell.
Status tell_job(const EvalOptions& options) {
  std::error_code ignored;
  const auto checkpoint = std::filesystem::canonical(options.checkpoint, ignored);
  const auto job = checkpoint.parent_path().parent_path();
  DYAD_TRY(of_a_job, io::exists(job / coordinator::kJournalName));
  if (!of_a_job || !ckpt::read_own_result(checkpoint, options.split)) return ok();
  DYAD_TRY(config, config::load({(checkpoint / ckpt::kConfigName).string(), /*environment=*/false, {}}));
  config.job.dir = job.string();
  DYAD_TRYV(report(config, checkpoint, options.split));
  const auto best = std::filesystem::read_symlink(ckpt::checkpoints_dir(job) / "best", ignored);
  const std::string line =
      fmt::format("recorded; the best on validation is {}", best.empty() ? "not known yet" : best.string());
  if (options.json) LOG_INFO("{}", line);
  else std::printf("%s\n", line.c_str());
  return ok();
}

// Before mpirun starts, whose own words would hide what the ranks say of it. Gives the number of ranks: as many as the
// configuration says that they will read.
Result<std::uint32_t> check(const EvalOptions& options) {
  DYAD_TRYV(ckpt::verify(options.checkpoint, ckpt::Depth::kSizes));
  const auto file = std::filesystem::path(options.checkpoint) / ckpt::kConfigName;
  DYAD_TRY(config, config::load({file.string(), /*environment=*/false, options.sets}));
  const std::filesystem::path data = options.data.empty() ? config.job.data : options.data;
  DYAD_TRY(there, io::exists(data / "dataset.json"));
  if (!there)
    return fail(Code::kNotFound, "{} is no dataset: it has no dataset.json; give the one it was trained on by --data",
                data.string());
  return options.ranks > 0 ? options.ranks : config.eval.workers;
}

Result<int> evaluate_once(EvalOptions options) {
  DYAD_TRYV(check_output(options.output));
  DYAD_TRY(checkpoint, checkpoint_of(options.checkpoint, Best::kTake));
  options.checkpoint = checkpoint.string();
  DYAD_TRY(ranks, check(options));
  options.ranks = ranks;
  const auto before = kept_at(options);
  DYAD_TRY(code, run_here(worker_arguments(options, options.checkpoint)));
  if (code != 0 || kept_at(options) == before) return code;
  if (const Status told = tell_job(options); !told)
    LOG_WARN("{}: the result is not recorded: {}", options.checkpoint, told.error().message);
  return code;
}

}  // namespace

void add_eval_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("eval", "Measure recall and NDCG of a checkpoint by distributed beam search");
  auto options = std::make_shared<EvalOptions>();
  auto* checkpoint =
      command->add_option("checkpoint", options->checkpoint, "folder of the checkpoint, such as run/checkpoints/best");
  auto* follow_job =
      command->add_option("--follow", options->follow, "job folder: evaluate each checkpoint as it is committed")
          ->excludes(checkpoint);
  command->add_option("--split", options->split, "which held-out items")
      ->check(CLI::IsMember({"validation", "test"}))
      ->capture_default_str();
  command->add_option("--ranks", options->ranks, "MPI ranks that share the users (default: eval.workers)")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--users", options->users,
                   "only so many users, drawn by the seed (0: all); if not given, as many as the job's own: "
                   "eval.during_training_users, for the test split eval.users")
      ->excludes(follow_job);
  command->add_option("--data", options->data, "dataset folder, if not the one it was trained on");
  add_json_options(*command, options->json, options->output);
  command->add_option("--set", options->sets, "over the checkpoint's configuration, such as eval.beams=50 (repeatable)")
      ->allow_extra_args(false);
  command->footer("Example: dyad eval run/checkpoints/best --split test --ranks 2 --output test.json");
  command->callback([options, &exit_code] {
    if (!options->follow.empty()) {
      exit_code = finish(follow(*options));
    } else if (options->checkpoint.empty()) {
      exit_code = finish(fail(Code::kInvalid, "name a checkpoint, or a job with --follow"));
    } else {
      const auto code = evaluate_once(*options);
      exit_code = code ? code.value() : finish(code.error());
    }
  });
}

}  // namespace dyad::ops
