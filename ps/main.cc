// dyad-ps: one parameter server of a job. Listens, registers with the coordinator, loads its rows, serves until told to
// stop.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/scarcity.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/staging.h"
#include "common/cli/program.h"
#include "common/config/cli.h"
#include "common/control/address.h"
#include "common/control/client.h"
#include "common/control/heartbeat.h"
#include "common/control/job_security.h"
#include "ps/cut_reports.h"
#include "ps/health.h"
#include "ps/overdue.h"
#include "ps/server.h"

namespace dyad::ps {
namespace {

std::atomic<bool> stop_requested{false};

// Whoever asks a server to leave waits no longer than this, whatever its disk or its coordinator do: a fsync cannot be
// called off. Safe in a signal handler.
constexpr unsigned kLeaveS = 3;
std::atomic<int> leave_code{0};
void leave_soon(int code) {
  leave_code = code;
  std::signal(SIGALRM, [](int) { ::_exit(leave_code); });
  ::alarm(kLeaveS);
}

constexpr int kAskedToLeaveMs = 1000;   // for the goodbye of a server that a signal stops: its coordinator may be gone
constexpr int kPartMs = 1000;           // a part of a cut is said again if it is not answered

Result<ServerOptions> options_of(const config::Config& c, std::uint32_t id, CutReports& cuts,
                                 const ckpt::Fence& fence) {
  DYAD_TRY(mode, parse_mode(c.train.mode));
  ServerOptions o;
  o.id = ServerId{id};
  o.ranks = c.train.workers;
  o.mode = mode;
  o.partition = {c.servers.buckets, c.servers.groups};
  o.threads = c.servers.threads;
  o.listen.endpoint = c.servers.bind;
  o.listen.key = "servers.bind";
  o.listen.local = control::server_socket(c.job.dir, o.id);
  o.listen.parts_max = 2 * kTablesMax + 1;       // a push: header, and keys and values of each table
  o.listen.allow_unauthenticated = c.security.trusted_network;
  o.checkpoint_folder = [dir = ckpt::checkpoints_dir(c.job.dir), &fence](Step step) {
    return ckpt::staging_folder(dir, step, fence);
  };
  o.on_cut = [&cuts](Step step, Result<std::vector<wire::FilePart>> parts) { cuts.put(step, std::move(parts)); };
  return o;
}

// What the coordinator wants: nothing (true), that we leave (false), or that we leave and start again (an error).
Result<bool> goes_on(const control::HeartbeatThread& heartbeat, std::uint32_t away_ms) {
  if (stop_requested) return false;
  const wire::Command command = heartbeat.command();
  if (command == wire::Command::kStop) return false;
  DYAD_TRYV(heartbeat.heard());
  if (heartbeat.silent_ms() > away_ms)
    return fail(Code::kDisconnected,
                "no answer from the coordinator for {} ms: this server leaves; start the job again with --resume "
                "(servers.timeout_ms is how long it waits)",
                heartbeat.silent_ms());
  return true;
}

// The workers of our routing epoch that are registered by now.
void tell_workers(Server& server, control::ControlClient& control, const wire::Routing& ours) {
  const double asked_s = steady_now_s();
  auto now = control.wait_routing(1000);
  if (now && now.value().epoch == ours.epoch) server.know_workers(std::move(now.value().worker_incarnation), asked_s);
}

// What the disk still owes, said every servers.timeout_ms: the heartbeats go on, so nobody else would.
class SlowDisk {
 public:
  explicit SlowDisk(double every_s) : rows_(every_s), cut_(every_s) {}
  void look(const Server& server, Step resume, bool loaded) {
    const double now_s = steady_now_s();
    if (const auto s = rows_.due(loaded ? std::nullopt : std::optional(resume), now_s))
      LOG_WARN("rows of the checkpoint of step {} still load after {:.0f} s: the disk is slow or hangs", resume, *s);
    const auto writing = server.writing();
    if (const auto s = cut_.due(writing, now_s))
      LOG_WARN("this server's part of cut {} is still being written after {:.0f} s: the disk is slow or hangs",
               *writing, *s);
  }

 private:
  Overdue rows_, cut_;
};

// Loads, serves, reports cuts and figures until the job ends. A coordinator that is away is waited for, at most
// away_ms: the rows are here.
Status attend(Server& server, const wire::Routing& routing, Step resume, control::HeartbeatThread& heartbeat,
              control::ControlClient& control, CutReports& cuts, std::uint32_t away_ms) {
  SlowDisk disk(away_ms * 1e-3);
  for (bool ready = false;;) {
    DYAD_TRY(on, goes_on(heartbeat, away_ms));
    if (!on) return ok();
    DYAD_TRY(loaded, server.loaded());
    if (loaded && !ready) {
      LOG_INFO("ready at step {}", server.applied());
      heartbeat.set_state("ready");
    }
    ready = loaded;
    disk.look(server, resume, loaded);
    heartbeat.set_step(server.applied());
    heartbeat.set_metrics(server.metrics());
    if (server.wants_workers()) tell_workers(server, control, routing);
    DYAD_TRYV(cuts.run(control, server.wants_workers() ? 20 : 100));
  }
}

// Says what stop() still wrote until it is committed.
Status say_the_rest(control::HeartbeatThread& heartbeat, control::ControlClient& control, CutReports& cuts,
                    std::uint32_t away_ms) {
  const double until = steady_now_s() + away_ms * 1e-3;
  do {
    DYAD_TRYV(cuts.run(control, 50));
    if (stop_requested || heartbeat.command() == wire::Command::kRestart) return ok();
  } while (!cuts.all_settled() && steady_now_s() < until);
  return ok();
}

Status run(const config::Sources& sources, std::uint32_t id, const std::string& coordinator) {
  DYAD_TRY(config, config::load(sources));
  set_log_level(config.job.log_level);
  if (id >= config.servers.count)
    return fail(Code::kInvalid, "--id {}: servers.count is {}, so ids are 0 to {}", id, config.servers.count,
                config.servers.count - 1);
  CutReports cuts;
  ckpt::Fence fence;                             // told when this server registers, before it serves
  net::Context context;
  DYAD_TRY(options, options_of(config, id, cuts, fence));
  DYAD_TRY(security, control::join_security(config, config.servers.timeout_ms, [] { return stop_requested.load(); }));
  options.listen.security = security;
  if (security.enabled()) { DYAD_TRYV(context.start_authentication({security.own.public_key})); }
  DYAD_TRY(server, Server::bind(context, options));
  std::unique_ptr<Health> health;                // ends before the server that it asks
  if (!config.servers.http.empty()) {
    DYAD_TRY(started, Health::start(config.servers.http, *server, ServerId{id}));
    health = std::move(started);
  }
  const std::uint32_t away_ms = config.servers.timeout_ms;
  control::ClientOptions at{.role = wire::Role::kServer,
                            .id = id,
                            .address = coordinator.empty() ? config.coordinator.address : coordinator,
                            .job_dir = config.job.dir,
                            .security = security,
                            .call_ms = static_cast<int>(away_ms)};
  DYAD_TRY(control, control::ControlClient::connect(at));
  DYAD_TRY(registered, control->register_({server->endpoint(), config::result_digest(config),
                                           static_cast<std::uint32_t>(::getpid()), host_name()}));
  at.incarnation = control->incarnation();
  at.run = registered.run;
  fence = {registered.run, registered.generation};
  DYAD_TRY(heartbeat, control::HeartbeatThread::start(at, static_cast<int>(config.coordinator.heartbeat_ms)));
  if (health)                                    // its port is there without the file that says where
    if (const Status said = health->publish(config.job.dir, *server, ServerId{id}); !said)
      LOG_WARN("{}; the health port {} is open all the same", said.error().message, health->address());
  at.call_ms = kPartMs;
  DYAD_TRY(parts, control::ControlClient::connect(at));
  auto waited = control::wait_tables(*control, *heartbeat, static_cast<int>(away_ms), stop_requested);
  if (stop_requested) return control->goodbye("stopped", kAskedToLeaveMs);
  DYAD_TRY(routing, std::move(waited));
  DYAD_TRYV(server->start({control->incarnation(), routing, registered.resume, registered.checkpoint, registered.run,
                           registered.manifest}));
  LOG_INFO("serving at {}, health at {}, {} of {} groups, from step {}", server->endpoint(),
           health ? health->address() : "no port",
           std::count(routing.group_server.begin(), routing.group_server.end(), id), routing.group_server.size(),
           registered.resume);
  const Status end = attend(*server, routing, registered.resume, *heartbeat, *parts, cuts, away_ms);
  if (!end || stop_requested) {
    leave_soon(end ? 0 : static_cast<int>(end.error().code));
    server->abandon();
    if (!end) return end;
  }
  server->stop();
  DYAD_TRYV(say_the_rest(*heartbeat, *parts, cuts, away_ms));
  LOG_INFO("leaves at step {}: {}", server->applied(), stop_requested ? "asked to" : "the job is over");
  heartbeat->set_state("done");
  return stop_requested ? control->goodbye("stopped", kAskedToLeaveMs)
                        : control->goodbye("done", static_cast<int>(away_ms));
}

// Nothing that lacks memory, or a thread, may end in an abort: the launcher reads the code.
Status guarded_run(const config::Sources& sources, std::uint32_t id, const std::string& coordinator) {
  try {
    return run(sources, id, coordinator);
  } catch (const std::bad_alloc&) {
    return fail(Code::kOverloaded, "out of memory: give this server more, or use more servers");
  } catch (const std::exception& e) {
    return error_of(e);
  }
}

}  // namespace
}  // namespace dyad::ps

int main(int argc, char** argv) {
  using namespace dyad;
  end_with_a_code_when_memory_is_short();
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
  return cli::run(app, argc, argv, [&] {
    set_log_role("ps", static_cast<int>(id));
    raise_descriptor_limit();
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1})
      std::signal(signal, [](int) {
        ps::stop_requested = true;
        ps::leave_soon(0);
      });
    return cli::finish("dyad-ps", ps::guarded_run(sources, id, coordinator));
  });
}
