#include "ops/evaluation.h"

#include "common/ckpt/eval_result.h"
#include "common/control/address.h"
#include "common/control/client.h"
#include "common/io/files.h"
#include "common/net/job_key.h"
#include "coordinator/results.h"
#include "ops/launch/child.h"
#include "ops/launch/local_cluster.h"

namespace dyad::ops {

std::vector<std::string> worker_arguments(const EvalOptions& options, const std::string& checkpoint) {
  auto argv = mpirun_arguments(options.ranks);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "eval", checkpoint, "--split", options.split});
  if (!options.data.empty()) argv.insert(argv.end(), {"--data", options.data});
  if (!options.json.empty()) argv.insert(argv.end(), {"--json", options.json});
  if (options.users) argv.insert(argv.end(), {"--users", std::to_string(*options.users)});
  for (const auto& set : options.sets) argv.insert(argv.end(), {"--set", set});
  return argv;
}

Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split,
              const std::optional<coordinator::CutsOptions>& rule) {
  const std::filesystem::path job = config.job.dir;
  DYAD_TRY(own, ckpt::read_own_result(checkpoint, split));
  const wire::EvalResult result{own.origin.checkpoint, split, own.metrics, own.origin.manifest,
                                own.origin.settings.words()};
  DYAD_TRY(announced, io::exists(control::address_file(job)));
  if (announced) {
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
  return coordinator::record_evaluation(job, result, rule);
}

}  // namespace dyad::ops
