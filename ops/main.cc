// dyad: the command for people. Knows no logic of its own; see the *_command.cc files.
#include <cstdio>
#include <CLI/CLI.hpp>
#include "common/base/log.h"
#include "ops/command.h"

namespace dyad::ops {

AddCommand add_codes_command;
AddCommand add_config_command;
AddCommand add_encode_command;
AddCommand add_import_command;
AddCommand add_synth_command;

constexpr AddCommand* kCommands[] = {
    add_codes_command,
    add_config_command,
    add_encode_command,
    add_import_command,
    add_synth_command,
};

int finish(const Status& status) {
  if (status.has_value()) return 0;
  std::fprintf(stderr, "dyad: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}

}  // namespace dyad::ops

int main(int argc, char** argv) {
  CLI::App app{"Dyad: distributed training of the EAGER two-stream generative recommender"};
  app.set_version_flag("--version", DYAD_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  dyad::set_log_role("dyad", -1);
  for (auto* add : dyad::ops::kCommands) add(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
