// dyad ui: the page of jobs that run and of jobs that ended, one or several over each other. Reads, never writes.
#include <csignal>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "common/http/server.h"
#include "ops/command.h"
#include "ops/ui/site.h"

namespace dyad::ops {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string http = "127.0.0.1:0";
};

Status show(const Options& options) {
  DYAD_TRY(site, Site::open(options.runs));
  sigset_t signals;                              // blocked before the server's thread is there, so that none is lost
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  DYAD_TRY(server, http::Server::start({options.http, "--http"},
                                       [&](const std::string& path) { return site->answer(path); }));
  std::printf("%s shows %s; Ctrl-C ends it\n", server->address().c_str(),
              site->jobs() == 1 ? site->name(0).c_str() : fmt::format("{} jobs", site->jobs()).c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);   // a model that loads is waited for; a second Ctrl-C ends that, too
  return ok();
}

}  // namespace

void add_ui_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("ui", "A page in the browser for jobs, running or ended, and to compare several");
  auto options = std::make_shared<Options>();
  command->add_option("runs", options->runs, "folders of jobs (job.dir)")->required();
  command->add_option("--http", options->http, "IP address and port to serve at; port 0 is any free one")
      ->capture_default_str();
  command->footer("Example: dyad ui run other-run --http 127.0.0.1:8080");
  command->callback([options, &exit_code] { exit_code = finish(show(*options)); });
}

}  // namespace dyad::ops
