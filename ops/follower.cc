#include "ops/follower.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"
#include "coordinator/core/evaluations.h"
#include "ops/checkpoint_path.h"
#include "ops/launch/child.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {

namespace fs = std::filesystem;

namespace {

constexpr Millis kTellAgainMs = 2000;    // between two tries to report one result

std::atomic<bool> last_round{false}, leave{false};
void on_last_round(int) { last_round = true; }
void on_leave(int) { leave = true; }

// Evaluates each checkpoint of a job once and tells the coordinator, as often as it takes.
class Follower {
 public:
  Follower(const EvalOptions& options, const config::Config& config)
      : options_(options),
        config_(config),
        rule_{.keep = config.checkpoint.keep,
              .unevaluated_max = coordinator::unevaluated_max_for(config.checkpoint.keep)} {}

  // What is there now, the newest first: the oldest is the next to go when cuts come faster than evaluations, and may
  // be gone before its result is there. The last round says again at once what was not taken before.
  Status round(bool last) {
    for (;;) {
      DYAD_TRY(there, look());
      for (const auto& checkpoint : there) tell(checkpoint, false);
      const auto next = std::find_if(there.rbegin(), there.rend(), [&](const fs::path& checkpoint) {
        return told_.count(checkpoint) == 0 && tried_.count(checkpoint) == 0 && !has_result(checkpoint);
      });
      if (leave || next == there.rend()) break;
      tried_.insert(*next);
      DYAD_TRYV(evaluate(*next));
    }
    if (!last) return ok();
    DYAD_TRY(there, look());
    for (const auto& checkpoint : there) tell(checkpoint, true);
    return ok();
  }

 private:
  // The valid ones, ascending. Warns of those that went before the job knew their result.
  Result<std::vector<fs::path>> look() {
    DYAD_TRY(listed, ckpt::list_checkpoints(ckpt::checkpoints_dir(config_.job.dir), ckpt::Depth::kSizes));
    std::vector<fs::path> there;
    for (const auto& one : listed)
      if (one.state == ckpt::State::kValid) there.push_back(one.dir);
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const bool gone = !std::binary_search(there.begin(), there.end(), *at);
      if (gone) LOG_WARN("{} was removed before it could be evaluated; it can't be the best", at->string());
      at = gone ? waiting_.erase(at) : std::next(at);
    }
    for (const auto& checkpoint : there)
      if (told_.count(checkpoint) == 0) waiting_.insert(checkpoint);
    return there;
  }

  bool has_result(const fs::path& checkpoint) const {
    return ckpt::read_own_result(checkpoint, options_.split).has_value();
  }

  Status evaluate(const fs::path& checkpoint) {
    LOG_INFO("evaluating {}", checkpoint.string());
    DYAD_TRY(child, Child::start("evaluation", worker_arguments(options_, checkpoint.string()),
                                 fs::path(config_.job.dir) / "logs" / "evaluation.log",
                                 {.orphan_signal = SIGTERM}));
    const Status waited = wait_for_ranks(child, [] { return leave.load(); });
    std::error_code ignored;
    if (leave) {
      child.kill(kMpirunEndMs);
    } else if (!waited) {
      const bool again = frozen_.insert(checkpoint).second;
      LOG_WARN("{}: {}{}", checkpoint.string(), waited.error().message, again ? "; it is tried once more" : "");
      if (again) tried_.erase(checkpoint);
    } else if (const auto code = child.poll(); *code != 0 && fs::exists(checkpoint / ckpt::kManifestName, ignored)) {
      LOG_WARN("evaluation of {} ended with code {}:\n{}", checkpoint.string(), *code, child.last_words());
    }
    return ok();
  }

  void tell(const fs::path& checkpoint, bool last) {
    if (told_.count(checkpoint) > 0 || !has_result(checkpoint)) return;
    const auto again = again_ms_.find(checkpoint);
    const bool warned = again != again_ms_.end();
    if (warned && !last && steady_now_ms() < again->second) return;
    const bool chooses = options_.split == coordinator::kBestSplit;
    const Status told = report(config_, checkpoint, options_.split, chooses ? std::optional(rule_) : std::nullopt);
    if (told) told_.insert(checkpoint), waiting_.erase(checkpoint);
    else again_ms_[checkpoint] = steady_now_ms() + kTellAgainMs;
    if (!told && (last || !warned))
      LOG_WARN("{}: the result is not recorded: {}", checkpoint.string(), told.error().message);
  }

  const EvalOptions options_;
  const config::Config config_;
  const coordinator::CutsOptions rule_;
  std::set<fs::path> tried_, frozen_, told_, waiting_;    // waiting_: seen, and not told yet
  std::map<fs::path, Millis> again_ms_;
};

}  // namespace

namespace {

// Said at once: what is no job has nothing to come, and of one that has ended nobody would know why all is quiet.
Status look_at_job(const std::string& folder) {
  if (const std::string kind = other_kind(folder); !kind.empty())
    return fail(Code::kInvalid, "{} is {}; --follow wants a job's folder (job.dir)", folder, kind);
  std::error_code ignored;
  if (!fs::exists(fs::path(folder) / ckpt::kConfigName, ignored))
    return fail(Code::kNotFound, "{} is not the folder of a job: it has no {}; give job.dir", folder,
                ckpt::kConfigName);
  if (!fetch_status_of(folder, kStatusPatientMs))
    LOG_WARN("no coordinator of {} answers: the job has ended, or has yet to begin. What is there is evaluated; then "
             "this waits for more checkpoints until Ctrl-C or SIGUSR1", folder);
  return ok();
}

}  // namespace

Status follow(EvalOptions options) {
  std::signal(SIGUSR1, on_last_round);
  std::signal(SIGTERM, on_leave);
  std::signal(SIGINT, on_leave);
  DYAD_TRYV(look_at_job(options.follow));
  DYAD_TRY(config, config::load({(fs::path(options.follow) / "config.toml").string(),
                                 /*environment=*/false, {}}));
  config.job.dir = options.follow;
  if (options.ranks == 0) options.ranks = config.eval.workers;
  const auto settings = config::eval_settings(config, options.split);   // the job's now, not those a checkpoint had
  options.users = settings.users;
  options.sets.insert(options.sets.end(),
                      {fmt::format("eval.beams={}", settings.beams), fmt::format("eval.rank={}", settings.rank)});
  Follower follower(options, config);
  for (bool last = false; !last && !leave;) {
    last = last_round.load();
    DYAD_TRYV(follower.round(last));
    std::this_thread::sleep_for(std::chrono::milliseconds(last ? 0 : 200));
  }
  return ok();
}

}  // namespace dyad::ops
