// dyad eval: starts the evaluation ranks under mpirun, once or behind each checkpoint of a running job.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ckpt/manifest.h"
#include "common/config/config.h"
#include "common/control/address.h"
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

constexpr int kMpirunEndMs = 4000;       // less than the launcher gives this process (ops/launch/local_cluster.cc)
constexpr Millis kTellAgainMs = 2000;    // between two tries to report one result

std::atomic<bool> last_round{false}, leave{false};
void on_last_round(int) { last_round = true; }
void on_leave(int) { leave = true; }

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

// The result beside the checkpoint, to the job's coordinator, or to its journal when no coordinator runs any more. What
// was told already may be told again.
Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split) {
  const std::filesystem::path job = config.job.dir;
  DYAD_TRY(text, io::read_file(checkpoint / ("eval-" + split + ".json")));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.contains("metrics"))
    return fail(Code::kInvalid, "{}: no result in eval-{}.json; evaluate again", checkpoint.string(), split);
  const wire::EvalResult result{checkpoint.filename().string(), split,
                                json["metrics"].get<std::map<std::string, double>>()};
  if (std::filesystem::exists(control::address_file(job))) {
    control::ClientOptions who;
    who.job_dir = job;
    who.call_ms = 5000;
    DYAD_TRY(security, net::read_job_key(config.security.key_file));
    who.security = security;
    DYAD_TRY(control, control::ControlClient::connect(who));
    Status told = control->report_eval(result);
    const bool gone = !told && (told.error().code == Code::kDisconnected || told.error().code == Code::kNotFound);
    if (!gone) return told;
  }
  return coordinator::record_evaluation(job, result);
}

// Evaluates each checkpoint of a job once and tells the coordinator, as often as it takes.
class Follower {
 public:
  Follower(const Options& options, const config::Config& config) : options_(options), config_(config) {}

  // What is there now. The last round says again at once what was not taken before.
  Status round(bool last) {
    DYAD_TRY(listed, ckpt::list_checkpoints(ckpt::checkpoints_dir(config_.job.dir), ckpt::Depth::kSizes));
    for (const auto& [checkpoint, step, state, problem, manifest] : listed) {
      if (leave) return ok();
      if (state != ckpt::State::kValid || told_.count(checkpoint.string())) continue;
      if (!is_evaluated(checkpoint, options_.split) && tried_.insert(checkpoint.string()).second) {
        DYAD_TRYV(evaluate(checkpoint));
      }
      if (is_evaluated(checkpoint, options_.split)) tell(checkpoint, last);
    }
    return ok();
  }

 private:
  Status evaluate(const std::filesystem::path& checkpoint) {
    LOG_INFO("evaluating {}", checkpoint.string());
    DYAD_TRY(child, Child::start("evaluation", worker_arguments(options_, checkpoint.string()),
                                 std::filesystem::path(config_.job.dir) / "logs" / "evaluation.log"));
    while (!child.poll() && !leave) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (leave) child.kill(kMpirunEndMs);
    else if (const auto code = child.poll(); *code != 0 && std::filesystem::exists(checkpoint))
      LOG_WARN("evaluation of {} ended with code {}:\n{}", checkpoint.string(), *code, tail(child.log(), 6));
    return ok();
  }

  void tell(const std::filesystem::path& checkpoint, bool last) {
    const std::string name = checkpoint.string();
    const auto again = again_ms_.find(name);
    const bool warned = again != again_ms_.end();
    if (warned && !last && steady_now_ms() < again->second) return;
    const Status told = report(config_, checkpoint, options_.split);
    if (told) told_.insert(name);
    else again_ms_[name] = steady_now_ms() + kTellAgainMs;
    if (!told && (last || !warned)) LOG_WARN("{}: the result is not recorded: {}", name, told.error().message);
  }

  const Options options_;
  const config::Config config_;
  std::set<std::string> tried_, told_;
  std::map<std::string, Millis> again_ms_;
};

// Behind each new checkpoint of a job. SIGUSR1: evaluate what is there, then leave. SIGTERM, SIGINT: leave.
Status follow(Options options) {
  std::signal(SIGUSR1, on_last_round);
  std::signal(SIGTERM, on_leave);
  std::signal(SIGINT, on_leave);
  DYAD_TRY(config, config::load({(std::filesystem::path(options.follow) / "config.toml").string(),
                                 /*environment=*/false, {}}));
  config.job.dir = options.follow;
  if (options.users == 0) options.users = config.eval.during_training_users;
  options.ranks = std::max(options.ranks, config.eval.workers);
  Follower follower(options, config);
  for (bool last = false; !last && !leave;) {
    last = last_round.load();
    DYAD_TRYV(follower.round(last));
    std::this_thread::sleep_for(std::chrono::milliseconds(last ? 0 : 200));
  }
  return ok();
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
