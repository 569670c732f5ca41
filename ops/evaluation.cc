#include "ops/evaluation.h"

#include <chrono>
#include <map>
#include <thread>
#include "common/base/clock.h"
#include "common/ckpt/eval_result.h"
#include "common/control/address.h"
#include "common/control/client.h"
#include "common/control/job_security.h"
#include "common/io/files.h"
#include "coordinator/journal/results.h"
#include "ops/launch/local_cluster.h"
#include "ops/launch/signs.h"

namespace dyad::ops {

std::vector<std::string> worker_arguments(const EvalOptions& options, const std::string& checkpoint) {
  auto argv = mpirun_arguments(options.ranks);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "eval", checkpoint, "--split", options.split});
  if (!options.data.empty()) argv.insert(argv.end(), {"--data", options.data});
  if (options.json) argv.push_back("--json");
  if (!options.output.empty()) argv.insert(argv.end(), {"--output", options.output});
  if (options.users) argv.insert(argv.end(), {"--users", std::to_string(*options.users)});
  for (const auto& set : options.sets) argv.insert(argv.end(), {"--set", set});
  return argv;
}

Status wait_for_ranks(Child& mpirun, const std::function<bool()>& leave) {
  constexpr Millis kFrozenMs = 60'000, kLookMs = 2000;   // a rank that waits for others looks at them, which is work
  std::map<pid_t, Quiet> quiet;
  for (Millis look_ms = 0; !mpirun.poll() && !leave(); std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
    const Millis now = steady_now_ms();
    if (now < look_ms) continue;
    look_ms = now + kLookMs;
    for (const pid_t rank : children_of(mpirun.pid())) {
      if (quiet[rank].ms(work_of(rank), now) <= kFrozenMs) continue;
      mpirun.kill(kMpirunEndMs);
      return fail(Code::kDisconnected, "a rank (process {}) did nothing for {} s, so the evaluation was ended; was it "
                  "stopped?", rank, kFrozenMs / 1000);
    }
  }
  return ok();
}

Status report(const config::Config& config, const std::filesystem::path& checkpoint, const std::string& split,
              const std::optional<coordinator::CutsOptions>& rule) {
  const std::filesystem::path job = config.job.dir;
  DYAD_TRY(own, ckpt::read_own_result(checkpoint, split));
  const wire::EvalResult result{own.origin.checkpoint, split, own.metrics, own.origin.manifest,
                                own.origin.settings.words()};
  DYAD_TRY(announced, io::exists(control::address_file(job)));
  const auto security = announced ? control::join_security(config) : Result<net::Security>(net::Security{});
  if (!security && security.error().code != Code::kNotFound) return security.error();
  if (announced && security) {                   // no key, no such coordinator: a killed one left its address
    control::ClientOptions who;
    who.job_dir = job;
    who.call_ms = 5000;
    who.security = security.value();
    DYAD_TRY(control, control::ControlClient::connect(who));
    Status told = control->report_eval(result);
    const bool gone = !told && (told.error().code == Code::kDisconnected || told.error().code == Code::kNotFound);
    if (!gone) return told;
  }
  return coordinator::record_evaluation(job, result, rule);
}

}  // namespace dyad::ops
