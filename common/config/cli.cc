#include "common/config/cli.h"

#include <cstdlib>
#include <CLI/CLI.hpp>
#include "common/config/keys.h"

namespace dyad::config {

void add_config_options(CLI::App& app, Sources& sources) {
  app.add_option("-c,--config", sources.file, "configuration file (TOML; see docs/configuration.md)")
      ->type_name("FILE");
  app.add_option("--set", sources.sets, "one key over all other sources, e.g. --set model.dim=64 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void drop_environment() {
  for (const Key& key : keys()) ::unsetenv(variable_name(key).c_str());
}

}  // namespace dyad::config
