// dyad eval: starts the evaluation ranks under mpirun, once or behind each checkpoint of a running job.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/log.h"
#include "common/ckpt/manifest.h"
#include "common/config/config.h"
#include "common/control/client.h"
#include "common/io/atomic_file.h"
#include "common/net/job_key.h"
#include "coordinator/start.h"
#include "ops/command.h"
#include "ops/launch/child.h"
#include "ops/launch/local_cluster.h"

namespace dyad::ops {
namespace {

struct Options {
  std::string checkpoint, follow, split = "validation", data, json;
  std::vector<std::string> sets;
  std::uint32_t ranks = 1, users = 0;
};

std::atomic<int> last_round{0};
void on_last_round(int) { last_round = 1; }

std::vector<std::string> worker_arguments(const Options& options, const std::string& checkpoint) {
  auto argv = mpirun_arguments(options.ranks);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "eval", checkpoint, "--split", options.split});
  if (!options.data.empty()) argv.insert(argv.end(), {"--data", options.data});
  if (!options.json.empty()) argv.insert(argv.end(), {"--json", options.json});
  if (options.users > 0) argv.insert(argv.end(), {"--users", std::to_string(options.users)});
  for (const auto& set : options.sets) argv.insert(argv.end(), {"--set", set});
  return argv;
}

// In place of this process: the terminal, the signals and the exit code are mpirun's.
Status evaluate_once(const Options& options) {
  auto argv = worker_arguments(options, options.checkpoint);
  std::vector<char*> raw;
  for (auto& a : argv) raw.push_back(a.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  return fail(Code::kNotFound, "cannot start mpirun; install Open MPI (tools/setup.sh) or put it in PATH");
}

bool is_evaluated(const std::filesystem::path& checkpoint, const std::string& split) {
  return std::filesystem::exists(checkpoint / ("eval-" + split + ".json"));
}

// The result beside the checkpoint, to the job's coordinator, or to its journal when no coordinator runs any more.
Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split) {
  const std::filesystem::path job = config.job.dir;
  DYAD_TRY(text, io::read_file(checkpoint / ("eval-" + split + ".json")));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.contains("metrics"))
    return fail(Code::kInvalid, "{}: no result in eval-{}.json; evaluate again", checkpoint.string(), split);
  const wire::EvalResult result{checkpoint.filename().string(), split,
                                json["metrics"].get<std::map<std::string, double>>()};
  if (std::filesystem::exists(job / "coordinator.json")) {
    control::ClientOptions who;
    who.job_dir = job;
    who.call_ms = 5000;
    DYAD_TRY(security, net::read_job_key(config.security.key_file));
    who.security = security;
    DYAD_TRY(control, control::ControlClient::connect(who));
    if (control->report_eval(result)) return ok();
  }
  return coordinator::record_evaluation(job, result);
}

// Behind each new checkpoint of a job. SIGUSR1: evaluate what is there, then leave.
Status follow(Options options) {
  std::signal(SIGUSR1, on_last_round);
  const std::filesystem::path job = options.follow, checkpoints = ckpt::checkpoints_dir(job);
  DYAD_TRY(config, config::load({(job / "config.toml").string(), /*environment=*/false, {}}));
  config.job.dir = options.follow;
  if (options.users == 0) options.users = config.eval.during_training_users;
  options.ranks = std::max(options.ranks, config.eval.workers);
  std::set<std::string> tried;
  for (;;) {
    const bool last = last_round.load();
    DYAD_TRY(listed, ckpt::list_checkpoints(checkpoints, ckpt::Depth::kSizes));
    for (const auto& [checkpoint, step, state, problem, manifest] : listed) {
      if (state != ckpt::State::kValid || is_evaluated(checkpoint, options.split) ||
          !tried.insert(checkpoint.string()).second)
        continue;
      LOG_INFO("evaluating {}", checkpoint.string());
      DYAD_TRY(child, Child::start("evaluation", worker_arguments(options, checkpoint.string()),
                                   job / "logs" / "evaluation.log"));
      while (!child.poll()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (const auto code = child.poll(); *code != 0 && std::filesystem::exists(checkpoint))
        LOG_WARN("evaluation of {} ended with code {}:\n{}", checkpoint.string(), *code, tail(child.log(), 6));
      else if (Status told = report(config, checkpoint, options.split); !told)
        LOG_WARN("{}", told.error().message);
    }
    if (last) return ok();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

void add_eval_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("eval", "Measure recall and NDCG of a checkpoint by distributed beam search");
  auto options = std::make_shared<Options>();
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
