// dyad doctor: what is wrong with this machine, or with a job's configuration on it, and what to do.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include "common/config/cli.h"
#include "ops/command.h"
#include "ops/doctor/finding.h"

namespace dyad::ops {
namespace {

using doctor::Finding;
using doctor::Health;

struct Options {
  config::Sources sources;
  bool json = false;
};

const char* name_of(Health health) {
  return health == Health::kOk ? "ok" : health == Health::kWarn ? "warn" : "fail";
}

void print(const std::vector<Finding>& findings, bool as_json) {
  if (as_json) {
    auto out = nlohmann::json::array();
    for (const auto& f : findings)
      out.push_back({{"thing", f.thing}, {"health", name_of(f.health)}, {"found", f.found}, {"advice", f.advice}});
    std::printf("%s\n", out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  for (const auto& f : findings) {
    std::printf("%-4s  %-17s %s\n", name_of(f.health), f.thing.c_str(), f.found.c_str());
    if (!f.advice.empty()) std::printf("%24s-> %s\n", "", f.advice.c_str());
  }
}

Status examine(const Options& options) {
  DYAD_TRY(config, config::load(options.sources));
  std::vector<Finding> all;
  for (const auto& part : {doctor::look_at_machine(config), doctor::look_at_disk(config),
                           doctor::look_at_network(config), doctor::look_at_programs()})
    all.insert(all.end(), part.begin(), part.end());
  print(all, options.json);
  const auto failed = std::count_if(all.begin(), all.end(), [](const auto& f) { return f.health == Health::kFail; });
  if (failed == 0) return ok();
  return fail(Code::kInvalid, "{} of {} things would keep a job from running here", failed, all.size());
}

}  // namespace

void add_doctor_command(CLI::App& dyad, int& exit_code) {
  auto* command =
      dyad.add_subcommand("doctor", "Tell what of this machine would keep a job from running, and what to do");
  auto options = std::make_shared<Options>();
  config::add_config_options(*command, options->sources);
  command->add_flag("--json", options->json, "JSON on stdout, and nothing else there");
  command->footer("Exit code 0: nothing keeps a job from running; 2: something does.\n"
                  "Example: dyad doctor --config job.toml");
  command->callback([options, &exit_code] { exit_code = finish(examine(*options)); });
}

}  // namespace dyad::ops
