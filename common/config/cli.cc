#include "common/config/cli.h"

#include <CLI/CLI.hpp>

namespace dyad::config {

void add_config_options(CLI::App& app, Sources& sources) {
  app.add_option("-c,--config", sources.file, "configuration file (TOML; see docs/configuration.md)")
      ->type_name("FILE");
  app.add_option("--set", sources.sets, "one key over all other sources, e.g. --set model.dim=64 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace dyad::config
