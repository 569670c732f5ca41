// dyad status: asks the coordinator how its job is, or looks into the folder of a job that runs no more.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"
#include "ops/command.h"
#include "ops/launch/job_on_disk.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {
namespace {

using nlohmann::json;
struct Options {
  std::string job_dir = "run", http;
  bool json = false;
};

// Of a job that runs no more.
void print_end(const json& s) {
  const bool finished = s.at("state") == "finished";
  std::printf("%s: %s at step %llu, %llu of %llu epochs done; no coordinator is up%s\n",
              s.at("job").get<std::string>().c_str(), s.at("state").get<std::string>().c_str(),
              s.at("step").get<unsigned long long>(), s.at("epoch").get<unsigned long long>(),
              s.at("epochs").get<unsigned long long>(), finished ? "" : ", `dyad train --resume` goes on");
}

void print_progress(const json& s) {
  std::printf("%s: %s, epoch %llu of %llu, batch %llu of %llu, step %llu, %.0f samples/s\n",
              s.at("job").get<std::string>().c_str(), s.at("state").get<std::string>().c_str(),
              s.at("epoch").get<unsigned long long>() + 1, s.at("epochs").get<unsigned long long>(),
              s.at("batch").get<unsigned long long>(), s.at("batches").get<unsigned long long>(),
              s.at("step").get<unsigned long long>(), s.at("samples_per_s").get<double>());
}

// Each epoch was audited when it ended: the newest result, and those that failed.
void print_audits(const json& audits) {
  for (std::size_t i = 0; i < audits.size(); ++i)
    if (i + 1 == audits.size() || !audits[i].at("passed").get<bool>())
      std::printf("  %s\n", audits[i].at("text").get<std::string>().c_str());
}

void print_table(const json& s) {
  if (s.contains("samples_per_s")) print_progress(s);
  else print_end(s);
  for (const json& p : s.at("processes"))
    std::printf("  %-9s %2u  %-10s step %-8llu heartbeat %.1f s ago, %s pid %u\n",
                p.at("role").get<std::string>().c_str(), p.at("id").get<unsigned>(),
                p.at("state").get<std::string>().c_str(), p.at("step").get<unsigned long long>(),
                p.at("heartbeat_age_ms").get<double>() / 1e3, printable(p.at("host").get<std::string>()).c_str(),
                p.at("pid").get<unsigned>());
  for (const json& c : s.at("checkpoints"))
    std::printf("  %s%s\n", c.at("folder").get<std::string>().c_str(), c.at("best").get<bool>() ? "  best" : "");
  if (const json given_up = s.value("given_up_cuts", json::object()); given_up.value("count", 0) > 0)
    std::printf("  %d checkpoint(s) given up, the last of step %llu: %s\n", given_up.at("count").get<int>(),
                given_up.at("last_step").get<unsigned long long>(), given_up.at("why").get<std::string>().c_str());
  print_audits(s.value("audits", json::array()));
}

Status show(const Options& options) {
  DYAD_TRY(body, options.http.empty() ? status_of(options.job_dir, kStatusPatientMs)
                                      : fetch_status(options.http, kStatusPatientMs));
  const json status = json::parse(body, nullptr, false);
  if (!status.is_object()) return fail(Code::kInvalid, "no status was answered; is a coordinator there?");
  if (options.json) {
    std::printf("%s\n", status.dump(1).c_str());
    return ok();
  }
  try {
    print_table(status);
  } catch (const json::exception& e) {
    return fail(Code::kInvalid, "the status of another version was answered: {}", printable(e.what(), 200));
  }
  return ok();
}

}  // namespace

void add_status_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("status", "How a job is, running or not: processes, progress, checkpoints");
  auto options = std::make_shared<Options>();
  command->add_option("job_dir", options->job_dir, "the job's folder (job.dir)")->capture_default_str();
  command->add_option("--http", options->http, "ask this address instead, such as http://10.0.0.1:8080");
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("Example: dyad status run");
  command->callback([options, &exit_code] { exit_code = finish(show(*options)); });
}

}  // namespace dyad::ops
