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
#include "common/ckpt/manifest.h"
#include "ops/launch/child.h"

namespace dyad::ops {
namespace {

constexpr int kMpirunEndMs = 4000;       // less than the launcher gives this process (ops/launch/local_cluster.cc)
constexpr Millis kTellAgainMs = 2000;    // between two tries to report one result

std::atomic<bool> last_round{false}, leave{false};
void on_last_round(int) { last_round = true; }
void on_leave(int) { leave = true; }

// Evaluates each checkpoint of a job once and tells the coordinator, as often as it takes.
class Follower {
 public:
  Follower(const EvalOptions& options, const config::Config& config) : options_(options), config_(config) {}

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

  const EvalOptions options_;
  const config::Config config_;
  std::set<std::string> tried_, told_;
  std::map<std::string, Millis> again_ms_;
};

}  // namespace

Status follow(EvalOptions options) {
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

}  // namespace dyad::ops
