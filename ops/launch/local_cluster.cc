#include "ops/launch/local_cluster.h"

#include <signal.h>
#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/control/address.h"
#include "ops/launch/job_lock.h"
#include "ops/launch/signs.h"
#include "ops/launch/start_watch.h"
#include "ops/launch/train_progress.h"

namespace dyad::ops {
namespace {

constexpr int kPollMs = 100;
constexpr Millis kCoordinatorQuietMs = 30'000;   // it reads a whole checkpoint before it comes up, but never idles
constexpr Millis kAskAgainMs = 2'000;         // between two wishes to stop: an mpirun that is starting loses one
constexpr Millis kStopQuietMs = 60'000;       // after the first Ctrl-C, without a byte of the last checkpoint written
constexpr Millis kAfterWorkersMs = 60'000;    // coordinator and servers leave after the workers
constexpr Millis kBeforeWorkersMs = 10'000;   // they leave when the ranks are done; mpirun itself ends a moment later
constexpr int kMpirunEndMs = 5000;            // it gives its ranks a second or more before it kills them
constexpr Millis kBusyPauseMs = 1000;          // the journal is held for so long at most by an evaluation written down
constexpr int kNobodyCaughtStop = 128 + SIGUSR1;

void nap(int ms = kPollMs) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// How long something has been so, by the clock: a round of supervision may take longer than its nap.
class Lasting {
 public:
  bool longer_than(Millis ms, bool is_so) {
    const Millis now = steady_now_ms();
    if (!is_so) since_ = kNever;
    else if (since_ == kNever) since_ = now;
    return is_so && now > since_ + ms;
  }

 private:
  static constexpr Millis kNever = ~Millis{0};
  Millis since_ = kNever;
};

// The same input, configuration or machine would fail the same way again.
bool is_permanent(Code code) { return code == Code::kInvalid || code == Code::kNotFound; }

// Who finds a peer gone (6), or is told so by the coordinator (4), is a consequence. The less the more telling.
int telling_rank(int code) {
  const auto as_code = static_cast<Code>(code);
  return is_permanent(as_code) ? 0 : as_code == Code::kDisconnected ? 2 : as_code == Code::kStale ? 3 : 1;
}

// What an ended process leaves to say, under the code of its end.
Error error_of(Child& child) {
  const int code = child.poll().value_or(0);
  std::string log = child.last_words();
  if (!log.empty()) log.pop_back();           // the newline
  return fail(code >= 1 && code <= 6 ? static_cast<Code>(code) : Code::kFailed, "{} ended with code {}{} (log {}):\n{}",
              child.name(), code, code == 0 ? " before the workers did" : "", child.log().string(), log);
}

}  // namespace

std::vector<std::string> mpirun_arguments(std::uint32_t ranks, const std::string& more) {
  std::vector<std::string> argv{"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca",
                                "mpi_yield_when_idle", "1", "-n", std::to_string(ranks)};
  std::istringstream words(more);
  argv.insert(argv.end(), std::istream_iterator<std::string>(words), {});
  return argv;
}

LocalCluster::LocalCluster(config::Config config, LocalClusterOptions options)
    : config_(std::move(config)),
      options_(std::move(options)),
      job_dir_(config_.job.dir),
      evaluator_(job_dir_, options_.restarts_max),
      restarts_(options_.restarts_max) {}

std::filesystem::path LocalCluster::log_of(const std::string& name) const {
  return job_dir_ / "logs" / (name + ".log");
}

Result<End> LocalCluster::run(std::function<void()> tick, std::function<int()> stop_requests) {
  tick_ = std::move(tick);
  stop_requests_ = std::move(stop_requests);
  for (;;) {
    auto ended = attempt();
    if (ended && ended.value() == End::kFinished) evaluator_.finish(tick_, [this] { return stop_requests_() > 0; });
    kill_all();
    if (ended || !has_run_ || stop_requests_() > 0) return ended;   // a first start would fail the same way again
    const auto& [code, what] = ended.error();
    if (is_permanent(code))
      return fail(code, "{}\nOn another try it would be the same: mend it, then go on with --resume.", what);
    const auto pause = next_restart();
    if (!pause)
      return fail(code, "{}\nAfter {} restart(s) without a new checkpoint this is the end; mend the cause and run it "
                  "again with --resume.", what, restarts_.count());
    LOG_WARN("{}\nstarting the job again from its last checkpoint{} (restart {} of {} without a new one)", what,
             *pause == 0 ? "" : fmt::format(" in {} s", *pause / 1000), restarts_.count(), restarts_.most());
    if (!rest(code == Code::kOverloaded ? std::max(kBusyPauseMs, *pause) : *pause)) return End::kStoppedAtOnce;
  }
}

std::optional<Millis> LocalCluster::next_restart() {
  return restarts_.next(last_cut(job_dir_));
}

bool LocalCluster::rest(Millis ms) {
  for (const Millis end = steady_now_ms() + ms; steady_now_ms() < end && stop_requests_() == 0;) nap();
  return stop_requests_() == 0;
}

Result<End> LocalCluster::attempt() {
  DYAD_TRYV(start_all());
  if (stop_requests_() > 0) return End::kStoppedAtStart;
  has_run_ = options_.resume = true;
  return supervise();
}

// Gives up waiting, without an error, when asked to stop.
Status LocalCluster::start_coordinator(Begin begin) {
  DYAD_TRYV(check_no_coordinator(job_dir_));
  const auto announcement = control::address_file(job_dir_);
  std::error_code ignored;
  std::filesystem::remove(announcement, ignored);
  std::vector<std::string> argv{sibling_program("dyad-coordinator"), "--config", options_.config_file.string()};
  if (begin == Begin::kResume) argv.push_back("--resume");
  if (begin == Begin::kRecover) argv.push_back("--recover");
  DYAD_TRY(coordinator, Child::start("coordinator", std::move(argv), log_of("coordinator")));
  if (children_.empty()) children_.push_back(std::move(coordinator));
  else children_[0] = std::move(coordinator);
  Quiet quiet;
  while (!std::filesystem::exists(announcement, ignored) && stop_requests_() == 0) {
    if (children_[0].poll()) return error_of(children_[0]);
    if (quiet.ms(work_of(children_[0].pid()), steady_now_ms()) > kCoordinatorQuietMs)
      return fail(Code::kFailed, "the coordinator did not come up, and did nothing for {} s; see {}",
                  kCoordinatorQuietMs / 1000, log_of("coordinator").string());
    nap();
  }
  if (begin == Begin::kResume && stop_requests_() == 0) print_resume(job_dir_);
  return ok();
}

Status LocalCluster::start_all() {
  children_.clear();
  DYAD_TRYV(start_coordinator(options_.resume ? Begin::kResume : Begin::kFresh));
  return stop_requests_() > 0 ? ok() : start_others();
}

Status LocalCluster::start_others() {
  const std::string config = options_.config_file.string();
  for (std::uint32_t i = 0; i < config_.servers.count; ++i) {
    const std::string name = fmt::format("ps-{}", i);
    DYAD_TRY(server, Child::start(name, {sibling_program("dyad-ps"), "--config", config, "--id", std::to_string(i)},
                                  log_of(name)));
    children_.push_back(std::move(server));
  }
  DYAD_TRYV(start_workers());
  return config_.eval.during_training ? evaluator_.start() : ok();
}

// mpirun, told where to run them, may need what a scheduler says of the nodes.
Status LocalCluster::start_workers() {
  auto argv = mpirun_arguments(config_.train.workers, options_.mpirun);
  argv.insert(argv.end(), {sibling_program("dyad-worker"), "train", "--config", options_.config_file.string()});
  DYAD_TRY(workers, Child::start("workers", std::move(argv), log_of("workers"),
                                 {.orphan_signal = SIGTERM, .keep_scheduler = !options_.mpirun.empty()}));
  children_.push_back(std::move(workers));
  return ok();
}

// Starts a killed coordinator again. Fails when it does not come up: then the job starts again as a whole.
Status LocalCluster::keep_coordinator() {
  const auto code = children_[0].poll();
  if (!code || *code <= 128) return ok();
  const auto pause = next_restart();
  if (!pause) return ok();
  LOG_WARN("the coordinator was killed; starting it again, it goes on with its journal (restart {} of {} without a new "
           "checkpoint)", restarts_.count(), restarts_.most());
  rest(*pause);                                            // asked to stop, too, it is needed for the last checkpoint
  return start_coordinator(Begin::kRecover);
}

// Of several that failed, the one that tells why.
Status LocalCluster::check_exit_codes() {
  Child* telling = nullptr;
  for (auto& child : children_) {
    const int code = child.poll().value_or(0);
    if (code != 0 && (!telling || telling_rank(code) < telling_rank(*telling->poll()))) telling = &child;
  }
  return telling ? Status(error_of(*telling)) : ok();
}

// A server or the coordinator that has ended, however well; null while all run.
Child* LocalCluster::ended_part() {
  const auto part = std::find_if(children_.begin(), children_.end() - 1, [](Child& c) { return c.poll().has_value(); });
  return part == children_.end() - 1 ? nullptr : &*part;
}

bool LocalCluster::all_ended() {
  return std::all_of(children_.begin(), children_.end(), [](Child& c) { return c.poll().has_value(); });
}

Result<End> LocalCluster::supervise() {
  Child& workers = children_.back();
  Lasting deserted, lingering;
  StartWatch start({job_dir_, config_.servers.count, config_.train.workers, config_.servers.timeout_ms});
  Quiet writing;
  Millis ask_ms = 0;
  for (bool asked = false;;) {
    if (asked && workers.poll() == kNobodyCaughtStop) return End::kStoppedAtStart;
    DYAD_TRYV(keep_coordinator());
    DYAD_TRYV(check_exit_codes());
    start.look(children_, steady_now_ms());
    evaluator_.keep(steady_now_ms());
    if (all_ended()) return asked ? End::kStopped : End::kFinished;
    Child* part = ended_part();
    if (deserted.longer_than(kBeforeWorkersMs, part && !workers.poll())) return error_of(*part);
    if (lingering.longer_than(kAfterWorkersMs, workers.poll().has_value()))
      return fail(Code::kFailed, "the workers are done but the coordinator or a server did not leave in {} s; see {}",
                  kAfterWorkersMs / 1000, (job_dir_ / "logs").string());
    const int requests = stop_requests_();
    if (requests > 1) return End::kStoppedAtOnce;
    if (requests > 0 && steady_now_ms() >= ask_ms) {
      asked = true;
      workers.signal(SIGUSR1);                             // mpirun forwards it: checkpoint, leave
      ask_ms = steady_now_ms() + kAskAgainMs;
    }
    if (asked && writing.ms(bytes_below(job_dir_ / "checkpoints"), steady_now_ms()) > kStopQuietMs)
      return fail(Code::kFailed,
                  "stopped before the last checkpoint was written; --resume goes on from the one before");
    tick_();
    nap();
  }
}

void LocalCluster::kill_all() {
  evaluator_.ask_to_leave();                              // ends its ranks while we end ours
  if (!children_.empty()) children_.back().kill(kMpirunEndMs);
  while (!children_.empty()) children_.pop_back();        // workers first, coordinator last
  evaluator_.kill();
}

}  // namespace dyad::ops
