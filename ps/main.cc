// dyad-ps: one parameter server of a job. Listens, registers with the coordinator, loads its rows, serves until told to
// stop.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/staging.h"
#include "common/config/cli.h"
#include "common/control/client.h"
#include "common/control/heartbeat.h"
#include "common/net/job_key.h"
#include "ps/server.h"

namespace dyad::ps {
namespace {

std::atomic<bool> stop_requested{false};

constexpr int kAskedToLeaveMs = 3000;   // for the goodbye of a server that a signal stops: its coordinator may be gone
constexpr double kRepeatCutS = 0.5;     // a part goes out again until its cut is committed: parts are not journalled

// Parts of cuts on their way from the cut writer to the main thread, which reports them.
class CutQueue {
 public:
  void put(Step step, Result<std::vector<wire::FilePart>> parts) {
    std::lock_guard lock(mutex_);
    done_.emplace_back(step, std::move(parts));
    more_.notify_one();
  }
  std::optional<std::pair<Step, Result<std::vector<wire::FilePart>>>> take(int timeout_ms) {
    std::unique_lock lock(mutex_);
    more_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return !done_.empty(); });
    if (done_.empty()) return std::nullopt;
    auto first = std::move(done_.front());
    done_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::pair<Step, Result<std::vector<wire::FilePart>>>> done_;
};

Result<ServerOptions> options_of(const config::Config& c, std::uint32_t id, CutQueue& cuts, const ckpt::Fence& fence) {
  DYAD_TRY(mode, parse_mode(c.train.mode));
  const auto f = [](double v) { return static_cast<float>(v); };
  ServerOptions o;
  o.id = ServerId{id};
  o.ranks = c.train.workers;
  o.mode = mode;
  o.partition = {c.servers.buckets, c.servers.groups};
  o.shard = {
      {c.model.dim, c.model.dim, c.model.dim},
      c.job.seed,
      f(c.model.init_std),
      {c.rows.optimizer, f(c.rows.beta1), f(c.rows.beta2), f(c.rows.eps), f(c.rows.weight_decay), f(c.rows.clip)}};
  o.threads = c.servers.threads;
  o.listen.endpoint = c.servers.bind;
  o.listen.allow_unauthenticated = c.security.trusted_network;
  o.checkpoint_folder = [dir = ckpt::checkpoints_dir(c.job.dir), &fence](Step step) {
    return ckpt::staging_folder(dir, step, fence);
  };
  o.on_cut = [&cuts](Step step, Result<std::vector<wire::FilePart>> parts) { cuts.put(step, std::move(parts)); };
  return o;
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

// Tells the coordinator which cuts are on disk here, each again and again until it is committed or given up: one that
// was killed in between knows only what it is told again.
class CutReports {
 public:
  CutReports(control::ControlClient& control, CutQueue& cuts) : control_(control), cuts_(cuts) {}
  bool all_committed() const { return open_.empty(); }
  // Says new ones, waiting for the first at most timeout_ms, and old ones when it is time.
  Status run(int timeout_ms) {
    while (auto cut = cuts_.take(timeout_ms)) {
      wire::CutPart part{.step = cut->first};
      if (cut->second) part.files = std::move(cut->second.value());
      else part.failure = cut->second.error().message;
      DYAD_TRYV(say(open_.emplace(cut->first, std::move(part)).first));
      timeout_ms = 0;
    }
    if (steady_now_s() < again_s_) return ok();
    for (auto at = open_.begin(); at != open_.end();) {
      const auto part = at++;
      DYAD_TRYV(say(part));
    }
    return ok();
  }

 private:
  Status say(std::map<Step, wire::CutPart>::iterator part) {
    const auto told = control_.cut_part(part->second, 0);
    again_s_ = steady_now_s() + kRepeatCutS;
    if (!told && told.error().code != Code::kStale) return told.error();
    if (!told) LOG_WARN("cut {} was given up: {}", part->first, told.error().message);
    if (told && !told.value().given_up.empty())
      LOG_WARN("cut {} was given up: {}", part->first, told.value().given_up);
    if (!told || told.value().committed || !told.value().given_up.empty()) open_.erase(part);
    return ok();
  }
  control::ControlClient& control_;
  CutQueue& cuts_;
  std::map<Step, wire::CutPart> open_;           // files, or why there are none
  double again_s_ = 0;
};

// Reports cuts and metrics until the job ends. A coordinator that is away is waited for, at most away_ms: the rows are
// here.
Status attend(Server& server, control::HeartbeatThread& heartbeat, CutReports& cuts, std::uint32_t away_ms) {
  while (!stop_requested) {
    const wire::Command command = heartbeat.command();
    if (command == wire::Command::kStop) return ok();
    DYAD_TRYV(heartbeat.heard());
    if (heartbeat.silent_ms() > away_ms)
      return fail(Code::kDisconnected,
                  "no answer from the coordinator for {} ms: this server leaves; start the job again with --resume "
                  "(servers.timeout_ms is how long it waits)",
                  heartbeat.silent_ms());
    if (server.failed()) return fail(Code::kFailed, "serving ended, see the log above");
    heartbeat.set_step(server.applied());
    heartbeat.set_metrics(server.metrics());
    DYAD_TRYV(cuts.run(250));
  }
  return ok();
}

Status run(const config::Sources& sources, std::uint32_t id, const std::string& coordinator) {
  DYAD_TRY(config, config::load(sources));
  set_log_level(config.job.log_level);
  if (id >= config.servers.count)
    return fail(Code::kInvalid, "--id {}: servers.count is {}, so ids are 0 to {}", id, config.servers.count,
                config.servers.count - 1);
  CutQueue cuts;
  ckpt::Fence fence;                             // told when this server registers, before it serves
  net::Context context;
  DYAD_TRY(options, options_of(config, id, cuts, fence));
  DYAD_TRY(security, net::read_job_key(config.security.key_file));
  options.listen.security = security;
  if (security.enabled()) { DYAD_TRYV(context.start_authentication({security.own.public_key})); }
  DYAD_TRY(server, Server::bind(context, options));
  control::ClientOptions at{.role = wire::Role::kServer,
                            .id = id,
                            .address = coordinator.empty() ? config.coordinator.address : coordinator,
                            .job_dir = config.job.dir,
                            .security = security,
                            .call_ms = static_cast<int>(config.servers.timeout_ms)};
  DYAD_TRY(control, control::ControlClient::connect(at));
  DYAD_TRY(registered, control->register_({server->endpoint(), config::result_digest(config),
                                           static_cast<std::uint32_t>(::getpid()), host_name()}));
  at.incarnation = control->incarnation();
  at.run = registered.run;
  fence = {registered.run, registered.generation};
  DYAD_TRY(heartbeat, control::HeartbeatThread::start(at, static_cast<int>(config.coordinator.heartbeat_ms)));
  heartbeat->set_state("starting");
  DYAD_TRY(routing, control::wait_routing(*control, *heartbeat, static_cast<int>(config.servers.timeout_ms),
                                          &stop_requested));
  DYAD_TRYV(server->start(
      {control->incarnation(), routing, registered.resume, registered.checkpoint, registered.run}));
  LOG_INFO("serving at {}, {} of {} groups, from step {}", server->endpoint(),
           std::count(routing.group_server.begin(), routing.group_server.end(), id), routing.group_server.size(),
           registered.resume);
  heartbeat->set_state("ready");
  CutReports reports(*control, cuts);
  const Status end = attend(*server, *heartbeat, reports, config.servers.timeout_ms);
  server->stop();
  if (!end) return end;
  const double patient_until = steady_now_s() + config.servers.timeout_ms * 1e-3;
  do {                                           // what stop() still wrote
    DYAD_TRYV(reports.run(50));
  } while (!reports.all_committed() && !stop_requested && steady_now_s() < patient_until);
  LOG_INFO("leaves at step {}: {}", server->applied(), stop_requested ? "asked to" : "the job is over");
  heartbeat->set_state("done");
  return stop_requested ? control->goodbye("stopped", kAskedToLeaveMs)
                        : control->goodbye("done", static_cast<int>(config.servers.timeout_ms));
}

}  // namespace
}  // namespace dyad::ps

int main(int argc, char** argv) {
  using namespace dyad;
  leave_with_launcher(std::getenv(kLauncherVariable));
  CLI::App app{"A parameter server of a Dyad job"};
  app.footer("Example: dyad-ps --config job.toml --id 0");
  config::Sources sources;
  config::add_config_options(app, sources);
  std::uint32_t id = 0;
  std::string coordinator;
  app.add_option("--id", id, "number of this server, 0 to servers.count - 1")->required();
  app.add_option("--coordinator", coordinator,
                 "tcp://host:port of the coordinator; else coordinator.address or <job.dir>/coordinator.json");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : static_cast<int>(Code::kInvalid);
  }
  set_log_role("ps", static_cast<int>(id));
  raise_descriptor_limit();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) std::signal(signal, [](int) { ps::stop_requested = true; });
  const Status status = ps::run(sources, id, coordinator);
  if (status) return 0;
  std::fprintf(stderr, "dyad-ps: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}
