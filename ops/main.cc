// dyad: the command for people. Knows no logic of its own; see the *_command.cc files.
#include <cstdlib>
#include <CLI/CLI.hpp>
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/scarcity.h"
#include "common/cli/program.h"
#include "ops/command.h"

namespace dyad::ops {

AddCommand add_baseline_command;
AddCommand add_ckpt_command;
AddCommand add_codes_command;
AddCommand add_completion_command;
AddCommand add_config_command;
AddCommand add_doctor_command;
AddCommand add_encode_command;
AddCommand add_eval_command;
AddCommand add_import_command;
AddCommand add_key_command;
AddCommand add_man_command;
AddCommand add_recommend_command;
AddCommand add_status_command;
AddCommand add_synth_command;
AddCommand add_train_command;
AddCommand add_ui_command;

constexpr AddCommand* kCommands[] = {
    add_baseline_command,
    add_ckpt_command,
    add_codes_command,
    add_completion_command,
    add_config_command,
    add_doctor_command,
    add_encode_command,
    add_eval_command,
    add_import_command,
    add_key_command,
    add_man_command,
    add_recommend_command,
    add_status_command,
    add_synth_command,
    add_train_command,
    add_ui_command,
};

}  // namespace dyad::ops

int main(int argc, char** argv) {
  dyad::end_with_a_code_when_memory_is_short();
  dyad::leave_with_launcher(std::getenv(dyad::kLauncherVariable));
  CLI::App app{"Dyad: distributed training of the EAGER two-stream generative recommender"};
  app.require_subcommand(1);
  app.footer("Example: dyad train --config deploy/quickstart.toml --set job.data=DATA --set job.dir=RUN\n"
             "Each command has --help with an example; tools/quickstart.sh runs them all.");
  int exit_code = 0;
  dyad::set_log_role("dyad", -1);
  dyad::raise_descriptor_limit();
  for (auto* add : dyad::ops::kCommands) add(app, exit_code);
  return dyad::cli::run(app, argc, argv, [&] { return exit_code; });
}
