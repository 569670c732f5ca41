// dyad ui: the page of jobs that run and of jobs that ended, one or several over each other. Reads, never writes.
#include <csignal>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/http/server.h"
#include "coordinator/page/page.h"
#include "ops/command.h"
#include "ops/launch/job_page.h"

namespace dyad::ops {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string http = "127.0.0.1:0";
};

constexpr const char* kText = "text/plain; charset=utf-8";

http::Answer answer(std::vector<JobPage>& jobs, const std::string& page, const std::string& path) {
  if (path == "/") return {200, "text/html; charset=utf-8", page};
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (path == fmt::format("/{}/status.json", i)) {
      const auto status = jobs[i].status();
      if (status) return {200, "application/json", status.value()};
      return {status.error().code == Code::kNotFound ? 404 : 503, kText, status.error().message + "\n"};
    }
  return {404, kText, "no such page; there are / and /N/status.json, N from 0\n"};
}

Status show(const Options& options) {
  std::vector<JobPage> jobs;
  nlohmann::json names = nlohmann::json::array();
  for (const std::string& run : options.runs) {
    DYAD_TRY(job, JobPage::open(run));
    names.push_back(job.name());
    jobs.push_back(std::move(job));
  }
  const std::string page =
      coordinator::page_of_jobs(names.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  sigset_t signals;                              // blocked before the server's thread is there, so that none is lost
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  DYAD_TRY(server, http::Server::start({options.http, "--http"},
                                       [&](const std::string& path) { return answer(jobs, page, path); }));
  std::printf("%s shows %s; Ctrl-C ends it\n", server->address().c_str(),
              jobs.size() == 1 ? jobs.front().name().c_str() : fmt::format("{} jobs", jobs.size()).c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
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
