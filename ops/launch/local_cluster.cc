#include "ops/launch/local_cluster.h"

#include <signal.h>
#include <chrono>
#include <thread>
#include "common/base/log.h"

namespace dyad::ops {
namespace {

constexpr int kPollMs = 100;
constexpr int kCoordinatorStartMs = 30'000;
constexpr int kGracefulStopMs = 60'000;       // for the last checkpoint after the first Ctrl-C
constexpr int kAfterWorkersMs = 60'000;       // coordinator and servers leave after the workers

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs)); }

}  // namespace

std::vector<std::string> mpirun_arguments(std::uint32_t ranks) {
  return {"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
          "-n", std::to_string(ranks)};
}

LocalCluster::LocalCluster(config::Config config, LocalClusterOptions options)
    : config_(std::move(config)), options_(std::move(options)), job_dir_(config_.job.dir) {}

std::filesystem::path LocalCluster::log_of(const std::string& name) const {
  return job_dir_ / "logs" / (name + ".log");
}

Status LocalCluster::run(const std::function<void()>& tick, const std::function<int()>& stop_requests) {
  for (;;) {
    Status started = start_all();
    if (!started) { kill_all(); return started; }
    auto ended = supervise(tick, stop_requests);
    if (!ended) { kill_all(); return ended.error(); }
    if (!ended.value()) {
      finish_evaluator(tick, stop_requests);
      kill_all();
      return ok();
    }
    const Failure failure = *ended.value();
    kill_all();
    const std::string what = fmt::format("{} ended with code {} (log {}):\n{}", failure.name, failure.code,
                                         failure.log.string(), tail(failure.log, 8));
    const bool hopeless =
        failure.code == static_cast<int>(Code::kInvalid) || failure.code == static_cast<int>(Code::kNotFound);
    if (hopeless || restarts_ >= options_.restarts_max || stop_requests() > 0) {
      const Code code = failure.code >= 1 && failure.code <= 6 ? static_cast<Code>(failure.code) : Code::kFailed;
      return fail(code, "{}After {} restart(s) this is the end; mend the cause and run it again with --resume.", what,
                  restarts_);
    }
    LOG_WARN("{}starting the job again from its last checkpoint (restart {} of {})", what, ++restarts_,
             options_.restarts_max);
    options_.resume = true;
  }
}

Status LocalCluster::start_coordinator(Begin begin) {
  std::error_code ignored;
  const auto announcement = job_dir_ / "coordinator.json";
  std::filesystem::remove(announcement, ignored);
  std::vector<std::string> argv{sibling_program("dyad-coordinator"), "--config", options_.config_file.string()};
  if (begin == Begin::kResume) argv.push_back("--resume");
  if (begin == Begin::kRecover) argv.push_back("--recover");
  DYAD_TRY(coordinator, Child::start("coordinator", std::move(argv), log_of("coordinator")));
  if (children_.empty()) children_.push_back(std::move(coordinator));
  else children_[0] = std::move(coordinator);
  for (int waited = 0; !std::filesystem::exists(announcement); waited += kPollMs) {
    if (const auto code = children_[0].poll()) {
      const Code known = *code >= 1 && *code <= 6 ? static_cast<Code>(*code) : Code::kFailed;
      return fail(known, "the coordinator ended with code {} (log {}):\n{}", *code, log_of("coordinator").string(),
                  tail(log_of("coordinator"), 8));
    }
    if (waited > kCoordinatorStartMs)
      return fail(Code::kFailed, "the coordinator did not come up in {} s; see {}", kCoordinatorStartMs / 1000,
                  log_of("coordinator").string());
    nap();
  }
  return ok();
}

Status LocalCluster::start_all() {
  children_.clear();
  DYAD_TRYV(start_coordinator(options_.resume ? Begin::kResume : Begin::kFresh));
  const std::string config = options_.config_file.string();
  for (std::uint32_t i = 0; i < config_.servers.count; ++i) {
    const std::string name = fmt::format("ps-{}", i);
    DYAD_TRY(server, Child::start(name, {sibling_program("dyad-ps"), "--config", config, "--id", std::to_string(i)},
                                  log_of(name)));
    children_.push_back(std::move(server));
  }
  auto argv = mpirun_arguments(config_.train.workers);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "train", "--config", config});
  DYAD_TRY(workers, Child::start("workers", std::move(argv), log_of("workers")));
  children_.push_back(std::move(workers));
  if (config_.eval.during_training && !evaluator_) {
    DYAD_TRY(evaluator,
             Child::start("evaluator",
                          {sibling_program("dyad"), "eval", "--follow", config_.job.dir, "--split", "validation"},
                          log_of("evaluator"), 5));
    evaluator_ = std::move(evaluator);
  }
  return ok();
}

bool LocalCluster::coordinator_was_killed() {
  const auto code = children_[0].poll();
  return code && *code > 128;
}

std::optional<LocalCluster::Failure> LocalCluster::first_failure() {
  for (auto& child : children_) {
    const auto code = child.poll();
    if (code && *code != 0) return Failure{child.name(), *code, child.log()};
  }
  return std::nullopt;
}

// Nothing when every process left with 0, else who failed first.
Result<std::optional<LocalCluster::Failure>> LocalCluster::supervise(const std::function<void()>& tick,
                                                                    const std::function<int()>& stop_requests) {
  Child& workers = children_.back();
  int since_stop_ms = 0, since_workers_ms = 0;
  bool asked = false;
  for (;;) {
    if (coordinator_was_killed() && restarts_ < options_.restarts_max) {
      LOG_WARN("the coordinator was killed; starting it again, it goes on with its journal (restart {} of {})",
               ++restarts_, options_.restarts_max);
      DYAD_TRYV(start_coordinator(Begin::kRecover));
    }
    if (auto failure = first_failure()) return std::optional(*failure);
    bool all_left = true;
    for (auto& child : children_) all_left &= child.poll().has_value();
    if (all_left) return std::optional<Failure>();
    if (workers.poll() && (since_workers_ms += kPollMs) > kAfterWorkersMs)
      return fail(Code::kFailed, "the workers are done but the coordinator or a server did not leave in {} s; see {}",
                  kAfterWorkersMs / 1000, (job_dir_ / "logs").string());
    const int requests = stop_requests();
    if (requests > 0 && !asked) {
      asked = stopped_early_ = true;
      workers.signal(SIGUSR1);                 // mpirun forwards it: checkpoint and leave with 0
    }
    if (asked && (requests > 1 || (since_stop_ms += kPollMs) > kGracefulStopMs))
      return fail(Code::kFailed,
                  "stopped before the last checkpoint was written; --resume goes on from the one before");
    tick();
    nap();
  }
}

void LocalCluster::finish_evaluator(const std::function<void()>& tick, const std::function<int()>& stop_requests) {
  if (!evaluator_) return;
  evaluator_->signal(SIGUSR1);                            // evaluate what is there, then leave
  while (!evaluator_->poll() && stop_requests() == 0) {
    tick();
    nap();
  }
  if (const auto code = evaluator_->poll(); code && *code != 0)
    LOG_WARN("the evaluator ended with code {}; run `dyad eval` by hand. Its log:\n{}", *code,
             tail(evaluator_->log(), 8));
  evaluator_.reset();
}

void LocalCluster::kill_all() {
  evaluator_.reset();
  while (!children_.empty()) children_.pop_back();        // workers first, coordinator last
}

}  // namespace dyad::ops
