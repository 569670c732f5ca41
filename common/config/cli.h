#pragma once
// The two options that every program with a configuration has, so that they read the same everywhere.
#include "common/config/config.h"

namespace CLI { class App; }

namespace dyad::config {

// Adds --config FILE and --set SECTION.KEY=VALUE (repeatable), which fill `sources`; the program then calls
// load(sources). REQUIRES: `sources` outlives the parsing.
void add_config_options(CLI::App& app, Sources& sources);

// Takes the keys' variables out of the environment. For who has written the resolved file and starts programs that read
// it: there they would win over it, also over a --set that is in it. Threads: before there are others.
void drop_environment();

}  // namespace dyad::config
