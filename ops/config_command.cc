// dyad config: prints the resolved configuration, or the reference of all keys.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "common/config/config.h"
#include "ops/command.h"

namespace dyad::ops {
namespace {

struct Options {
  config::Sources sources;
  bool docs = false;
};

Status print(const Options& options) {
  if (options.docs) {
    std::fputs(config::reference_markdown().c_str(), stdout);
    return ok();
  }
  DYAD_TRY(resolved, config::load(options.sources));
  std::fputs(config::to_toml(resolved).c_str(), stdout);
  return ok();
}

}  // namespace

void add_config_command(CLI::App& dyad, int& exit_code) {
  auto* command =
      dyad.add_subcommand("config", "Print the resolved configuration (default < file < environment < --set)");
  auto options = std::make_shared<Options>();
  command->add_option("-c,--config,--file", options->sources.file, "configuration file (TOML)")->type_name("FILE");
  command->add_option("--set", options->sources.sets, "one key over all other sources (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--docs", options->docs, "print the reference of all keys as Markdown instead");
  command->footer("Example: dyad config --file job.toml --set model.dim=64 > resolved.toml");
  command->callback([options, &exit_code] { exit_code = finish(print(*options)); });
}

}  // namespace dyad::ops
