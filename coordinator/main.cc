// dyad-coordinator: builds the parts from the configuration and serves until the job is over.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <CLI/CLI.hpp>
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/scarcity.h"
#include "common/cli/program.h"
#include "common/config/cli.h"
#include "common/config/eval_settings.h"
#include "common/control/job_security.h"
#include "common/data/dataset.h"
#include "common/data/identity.h"
#include "common/data/samples.h"
#include "common/io/atomic_file.h"
#include "coordinator/journal/checkpoint_store.h"
#include "coordinator/server/server.h"
#include "coordinator/journal/start.h"
#include "coordinator/core/work_plan.h"

namespace {

using namespace dyad;
using namespace dyad::coordinator;

std::atomic<bool> stop_requested{false};

// What the job needs of the dataset; the histories and the catalogue are let go.
struct Input {
  data::Identity identity;
  std::vector<data::Sample> samples;
};
Result<Input> read_input(const config::Config& config) {
  DYAD_TRY(dataset, data::Dataset::open(config.job.data));
  DYAD_TRY(identity, data::identify(dataset, config.model.gct));
  return Input{std::move(identity), data::samples(dataset, data::Split::kTrain)};
}

CoordinatorOptions options_of(const config::Config& config, const Input& input) {
  CoordinatorOptions options;
  options.job = config.job.name;
  options.config_digest = config::result_digest(config);
  options.data = input.identity.parts();
  for (const char* split : {"validation", "test"}) options.eval[split] = config::eval_settings(config, split).words();
  options.servers = config.servers.count;
  options.workers = config.train.workers;
  options.groups = config.servers.groups;
  options.keep = config.checkpoint.keep;
  if (config.eval.during_training) options.unevaluated_max = unevaluated_max_for(config.checkpoint.keep);
  options.dead_after_ms = config.coordinator.dead_after_ms;
  options.leases = {config.train.workers, config.coordinator.lease_batches, config.checkpoint.every_steps,
                    config.train.max_steps, config.train.epochs};
  return options;
}

// The resolved configuration in the job's folder, for whoever follows the job; `dyad train` has put it there already.
Status leave_config(const config::Config& config, const std::string& from) {
  const auto file = std::filesystem::path(config.job.dir) / ckpt::kConfigName;
  std::error_code ignored;
  if (std::filesystem::equivalent(from, file, ignored)) return ok();
  DYAD_TRYV(io::write_file_atomic(file, config::to_toml(config)));
  return ok();
}

// `dyad encode` after `dyad codes build`: L_con would pull towards vectors that the paths know nothing of. A job that
// goes on from a checkpoint was begun so, and its manifest tells what has changed since.
Status check_stale(const data::Identity& identity, const config::Job& job, Step resume) {
  for (const std::string& file : identity.unsealed)
    LOG_WARN("{}/{} carries no digest of its own (made elsewhere, or by an older Dyad): damage to it would go unseen",
             job.data, file);
  for (const std::string& stream : identity.stale) {
    const std::string what = fmt::format("{}: the {} codes were built from other vectors than vectors/{}.safetensors",
                                         job.data, stream, stream);
    if (!job.stale_codes && resume == Step{0})
      return fail(Code::kInvalid,
                  "{} holds now; build them again with `dyad codes build --data {}`, put the old vectors back, or, if "
                  "it is meant, --set job.stale_codes=true",
                  what, job.data);
    LOG_WARN("{} holds now; training all the same", what);
  }
  return ok();
}

Status run(const config::Sources& sources, StartMode mode) {
  DYAD_TRY(config, config::load(sources));
  set_log_level(config.job.log_level);
  DYAD_TRY(security, control::start_security(config));
  DYAD_TRY(input, read_input(config));
  const CoordinatorOptions options = options_of(config, input);
  const data::Identity& identity = input.identity;
  SamplePlan plan(std::move(input.samples),
                  {.seed = config.job.seed, .global_batch = config.train.batch, .history_max = config.model.history},
                  config.train.workers);
  const JobFacts facts = job_facts(config, identity);
  CheckpointStore store(config.job.dir, facts.manifest, config::to_toml(config));
  Coordinator coordinator(options, plan, store);
  DYAD_TRY(journal, begin(config.job.dir, mode, facts, coordinator, steady_now_ms()));
  DYAD_TRYV(check_stale(identity, config.job, coordinator.run().resume));
  DYAD_TRYV(leave_config(config, sources.file));
  return serve({config.coordinator.bind, config.coordinator.http, config.job.dir, security,
                config.security.trusted_network},
               coordinator, journal, stop_requested);
}

void on_signal(int) { stop_requested = true; }

}  // namespace

int main(int argc, char** argv) {
  end_with_a_code_when_memory_is_short();
  leave_with_launcher(std::getenv(kLauncherVariable));
  CLI::App app{"The coordinator of a Dyad job: membership, leases, checkpoints, status page"};
  app.footer("Example: dyad-coordinator --config job.toml --resume");
  config::Sources sources;
  config::add_config_options(app, sources);
  bool resume = false, recover = false;
  auto* resume_flag = app.add_flag("--resume", resume, "start a run at the newest valid checkpoint of job.dir");
  app.add_flag("--recover", recover, "go on with the run that a killed coordinator left; servers and workers still run")
      ->excludes(resume_flag);
  return cli::run(app, argc, argv, [&] {
    set_log_role("coordinator", -1);
    raise_descriptor_limit();
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);
    const auto mode = recover ? StartMode::kRecover : resume ? StartMode::kResume : StartMode::kFresh;
    return cli::finish("dyad-coordinator", run(sources, mode));
  });
}
