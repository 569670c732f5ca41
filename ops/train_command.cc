// dyad train: a whole job on this machine, from one configuration file.
#include <atomic>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include "common/base/log.h"
#include "common/base/progress.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "common/config/same_keys.h"
#include "common/config/cli.h"
#include "common/config/config.h"
#include "common/control/job_security.h"
#include "common/data/identity.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "coordinator/journal/init_from.h"
#include "coordinator/journal/results.h"
#include "ops/checkpoint_path.h"
#include "ops/command.h"
#include "ops/launch/job_lock.h"
#include "ops/launch/job_on_disk.h"
#include "ops/launch/local_cluster.h"
#include "ops/launch/preflight.h"
#include "ops/launch/train_progress.h"

namespace dyad::ops {
namespace {

struct Options {
  config::Sources sources;
  std::string init_from;
  bool resume = false;
  std::uint32_t restarts = LocalClusterOptions{}.restarts_max;
  std::string mpirun;
  bool json = false;
};

std::atomic<int> stop_requests{0};
void on_signal(int) { ++stop_requests; }

// A resumed job must be the same job: what decides its result may not change between its parts.
Status check_same_job(const config::Config& config, const std::filesystem::path& file) {
  DYAD_TRY(there, io::exists(file));
  if (!there) return ok();
  return config::check_same_keys(file, config);
}

// The first of a job's checkpoints, whole or not; empty: it has none.
Result<std::filesystem::path> some_checkpoint(const std::filesystem::path& job_dir) {
  DYAD_TRY(found, ckpt::list_checkpoints(ckpt::checkpoints_dir(job_dir), ckpt::Depth::kSizes));
  for (const auto& listed : found)
    if (listed.state != ckpt::State::kIncomplete) return listed.dir;
  return std::filesystem::path{};
}

// A fresh job's folder holds no checkpoint. The coordinator says so too, but after config.toml would be overwritten.
Status check_fresh(const std::filesystem::path& job_dir) {
  DYAD_TRY(there, some_checkpoint(job_dir));
  if (there.empty()) return ok();
  return fail(Code::kInvalid, "{} holds a checkpoint already: continue with --resume, or choose another job.dir",
              there.string());
}

// job.init_from as the checkpoint that is meant, where this job begins with it, checked before anything is written: the
// coordinator reads every byte of it. A job that goes on from a checkpoint of its own only remembers.
Status settle_init_from(config::Config& config, bool resume) {
  std::string& from = config.job.init_from;
  const auto file = std::filesystem::path(config.job.dir) / ckpt::kConfigName;
  if (resume) {
    DYAD_TRY(own, some_checkpoint(config.job.dir));
    DYAD_TRY(there, io::exists(file));
    if (there && (from.empty() || !own.empty())) {
      DYAD_TRY(before, config::load({file.string(), /*environment=*/false, {}}));
      from = before.job.init_from;
    }
    if (!own.empty()) return ok();
  }
  if (from.empty()) return ok();
  DYAD_TRY(checkpoint, checkpoint_of(from, Best::kTake));
  DYAD_TRY(dataset, data::Dataset::open(config.job.data));
  DYAD_TRY(identity, data::identify(dataset, config.model.gct));
  DYAD_TRY(given,
           coordinator::given_weights(checkpoint, coordinator::job_facts(config, identity), ckpt::Depth::kSizes));
  from = given.checkpoint.string();
  notice(fmt::format("beginning with the weights of {}", from));
  return ok();
}

Result<config::Config> load_absolute(const Options& options) {
  config::Sources sources = options.sources;
  if (!options.init_from.empty()) sources.sets.push_back("job.init_from=" + options.init_from);
  DYAD_TRY(config, config::load(sources));
  for (std::string* path : {&config.job.dir, &config.job.data, &config.job.init_from, &config.security.key_file}) {
    if (path->empty()) continue;
    DYAD_TRY(absolute, io::absolute(*path));
    *path = absolute.lexically_normal().string();
  }
  return std::move(config);
}

// What was not evaluated can't be the best, and nobody reads logs for that.
void warn_unevaluated(const config::Config& config, End end) {
  const auto found = coordinator::unevaluated(config.job.dir);
  if (!found) return LOG_WARN("{}", found.error().message);
  const auto& [gone, there] = found.value();
  if (!gone.empty())
    LOG_WARN("no validation result of {} checkpoint(s), removed before their turn came ({} to {}): the best was chosen "
             "among the others; raise checkpoint.keep, checkpoint less often, or lower eval.during_training_users",
             gone.size(), gone.front(), gone.back());
  if (end == End::kFinished && !there.empty())
    LOG_WARN("no validation result of {}: see {}/logs/evaluator.log, then run `dyad eval` on them by hand",
             fmt::join(there, ", "), config.job.dir);
}

// What the job leaves, and what to do with it.
void print_end(const config::Config& config, bool finished, const std::filesystem::path& last, bool as_json) {
  std::error_code ignored;
  const auto checkpoints = ckpt::checkpoints_dir(config.job.dir);
  const auto link = std::filesystem::read_symlink(checkpoints / "best", ignored);
  const auto best = link.empty() ? link : checkpoints / link.filename();
  const auto figures = best.empty() ? nlohmann::json() : validation_of(best);
  if (as_json) {
    const nlohmann::json end{{"state", finished ? "finished" : "stopped"},
                             {"job_dir", config.job.dir},
                             {"last", last.empty() ? nlohmann::json() : nlohmann::json(last.string())},
                             {"best", best.empty() ? nlohmann::json() : nlohmann::json(best.string())},
                             {"validation", figures}};
    std::printf("%s\n", end.dump(1).c_str());
    return;
  }
  if (!best.empty())
    std::printf("best checkpoint %s: validation Recall@10 %s, NDCG@10 %s\n", best.c_str(),
                figure(figures, "fusion/recall@10").c_str(), figure(figures, "fusion/ndcg@10").c_str());
  const std::string next =
      finished ? "dyad eval " + shell_word(best.empty() ? last : checkpoints / "best") + " --split test"
               : "dyad train --config " +
                     shell_word((config.job.dir / std::filesystem::path(ckpt::kConfigName)).string()) + " --resume";
  std::printf("next: %s\n", next.c_str());
}

// Gives whether the job reached its end: a worker that was asked to leave stops the whole job well, without a word to
// this process, so the position of the last checkpoint tells.
Result<bool> conclude(End end, const config::Config& config, TrainProgress& progress, bool as_json) {
  if (end == End::kStoppedAtStart || end == End::kStoppedAtOnce) {
    progress.end(false);
    notice(fmt::format("stopped {}; --resume goes on from the last checkpoint, if there is one",
                       end == End::kStoppedAtStart ? "before training had begun" : "at once, without a checkpoint"));
    print_end(config, false, {}, as_json);
    return false;
  }
  DYAD_TRY(newest, ckpt::newest_valid(ckpt::checkpoints_dir(config.job.dir)));
  const bool finished = is_finished(config, newest.manifest);
  progress.end(finished);
  if (config.eval.during_training) warn_unevaluated(config, end);
  if (!as_json)
    std::printf("%s; last checkpoint %s\n", finished ? "training finished" : "stopped, go on with --resume",
                newest.dir.string().c_str());
  print_end(config, finished, newest.dir, as_json);
  return finished;
}

// Gives whether the job is finished; if not, it was stopped and can be resumed.
Result<bool> train(const Options& options) {
  DYAD_TRY(config, load_absolute(options));
  if (const std::string kind = other_kind(config.job.dir); kind == "a checkpoint")
    return fail(Code::kInvalid, "job.dir {} is {}; choose another folder", config.job.dir, kind);
  DYAD_TRYV(settle_init_from(config, options.resume));
  DYAD_TRYV(check_data(config));                        // before anything is left behind
  const auto file = std::filesystem::path(config.job.dir) / "config.toml";
  std::error_code error;
  std::filesystem::create_directories(config.job.dir, error);
  if (error)
    return fail(Code::kInvalid, "job.dir {}: {}; choose a folder that can be written", config.job.dir, error.message());
  DYAD_TRYV(check_writable(config.job.dir));
  const auto lock = JobLock::take(config.job.dir);      // before the first write: the job may be another's
  if (!lock) return lock.error();
  DYAD_TRYV(options.resume ? check_same_job(config, file) : check_fresh(config.job.dir));
  const bool workers_here = options.mpirun.empty();
  if (options.resume && workers_here) warn_of_other_kernels(config);
  on_stop_signals(on_signal);
  const auto is_asked = [] { return stop_requests.load() > 0; };
  DYAD_TRYV(check_machine(config, workers_here, is_asked));
  DYAD_TRYV(control::start_security(config));           // before the first process that reads the key
  DYAD_TRYV(io::write_file_atomic(file, config::to_toml(config)));
  config::drop_environment();                           // config.toml has what it said
  TrainProgress progress(config.job.dir);
  if (is_asked()) return conclude(End::kStoppedAtStart, config, progress, options.json);
  LocalCluster cluster(config, {file, options.resume, options.restarts, options.mpirun});
  DYAD_TRY(end, cluster.run([&] { progress.tick(stop_requests); }, [] { return stop_requests.load(); }));
  return conclude(end, config, progress, options.json);
}

}  // namespace

void add_train_command(CLI::App& dyad, int& exit_code) {
  auto* command =
      dyad.add_subcommand("train", "Train on this machine: coordinator, servers and workers as local processes");
  auto options = std::make_shared<Options>();
  config::add_config_options(*command, options->sources);
  command->add_option("--init-from", options->init_from,
                      "begin with the weights of another job's checkpoint (a step-* folder, best, or the job's "
                      "folder); job.init_from");
  command->add_flag("--resume", options->resume, "go on from the newest valid checkpoint of job.dir");
  command
      ->add_option("--restarts", options->restarts,
                   "how often, without a new checkpoint in between, to start the job again when a process dies")
      ->capture_default_str();
  command->add_option("--mpirun", options->mpirun,
                      "more words for mpirun, such as \"--hostfile hosts\": the workers elsewhere, the rest here");
  command->add_flag("--json", options->json, "JSON on stdout when it ends, and nothing else there");
  command->footer("Ctrl-C writes a checkpoint and stops with exit code 7; a second one stops at once.\n"
                  "Examples: dyad train --config deploy/quickstart.toml --set train.epochs=3\n"
                  "          dyad train --config next.toml --init-from run/checkpoints/best --set train.lr=0.0001");
  command->callback([options, &exit_code] {
    const auto finished = train(*options);
    exit_code = !finished.has_value() ? finish(finished.error()) : finished.value() ? 0 : kStoppedExitCode;
  });
}

}  // namespace dyad::ops
