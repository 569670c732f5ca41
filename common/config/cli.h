#pragma once
// The two options that every program with a configuration has, so that they read the same everywhere.
#include "common/config/config.h"

namespace CLI { class App; }

namespace dyad::config {

// Adds --config FILE and --set SECTION.KEY=VALUE (repeatable), which fill `sources`; the program then calls
// load(sources). REQUIRES: `sources` outlives the parsing.
void add_config_options(CLI::App& app, Sources& sources);

}  // namespace dyad::config
