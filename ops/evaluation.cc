#include "ops/evaluation.h"

#include <map>
#include <nlohmann/json.hpp>
#include "common/control/address.h"
#include "common/control/client.h"
#include "common/io/atomic_file.h"
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
  if (options.users > 0) argv.insert(argv.end(), {"--users", std::to_string(options.users)});
  for (const auto& set : options.sets) argv.insert(argv.end(), {"--set", set});
  return argv;
}

bool is_evaluated(const std::filesystem::path& checkpoint, const std::string& split) {
  return std::filesystem::exists(checkpoint / ("eval-" + split + ".json"));
}

Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split,
              const std::optional<coordinator::CutsOptions>& rule) {
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
  return coordinator::record_evaluation(job, result, rule);
}

}  // namespace dyad::ops
