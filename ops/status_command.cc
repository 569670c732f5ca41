// dyad status: asks a running coordinator how its job is.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "ops/command.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {
namespace {

using nlohmann::json;
struct Options {
  std::string job_dir = "run", http;
  bool json = false;
};

void print_table(const json& s) {
  std::printf("%s: %s, epoch %llu of %llu, batch %llu of %llu, step %llu, %.0f samples/s\n",
              s.at("job").get<std::string>().c_str(), s.at("state").get<std::string>().c_str(),
              s.at("epoch").get<unsigned long long>() + 1, s.at("epochs").get<unsigned long long>(),
              s.at("batch").get<unsigned long long>(), s.at("batches").get<unsigned long long>(),
              s.at("step").get<unsigned long long>(), s.at("samples_per_s").get<double>());
  for (const json& p : s.at("processes"))
    std::printf("  %-9s %2u  %-10s step %-8llu heartbeat %.1f s ago, %s pid %u\n",
                p.at("role").get<std::string>().c_str(), p.at("id").get<unsigned>(),
                p.at("state").get<std::string>().c_str(), p.at("step").get<unsigned long long>(),
                p.at("heartbeat_age_ms").get<double>() / 1e3, p.at("host").get<std::string>().c_str(),
                p.at("pid").get<unsigned>());
  for (const json& c : s.at("checkpoints"))
    std::printf("  %s%s\n", c.at("folder").get<std::string>().c_str(), c.at("best").get<bool>() ? "  best" : "");
  for (const json& a : s.at("audits")) std::printf("  %s\n", a.at("text").get<std::string>().c_str());
}

Status show(const Options& options) {
  DYAD_TRY(body, options.http.empty() ? fetch_status_of(options.job_dir, kStatusPatientMs)
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
    return fail(Code::kInvalid, "the status of another version was answered: {}", e.what());
  }
  return ok();
}

}  // namespace

void add_status_command(CLI::App& dyad, int& exit_code) {
  auto* command = dyad.add_subcommand("status", "How a running job is: processes, progress, checkpoints");
  auto options = std::make_shared<Options>();
  command->add_option("job_dir", options->job_dir, "the job's folder (job.dir)")->capture_default_str();
  command->add_option("--http", options->http, "ask this address instead, such as http://10.0.0.1:8080");
  command->add_flag("--json", options->json, "for scripts");
  command->footer("Example: dyad status run");
  command->callback([options, &exit_code] { exit_code = finish(show(*options)); });
}

}  // namespace dyad::ops
