#pragma once
// How much a program says on stderr, and in which colours: what a person chose for all of it, before or after log.h's
// set_log_role and set_log_level. Threads: any.
#include <string>

namespace dyad {

void set_log_quiet();                            // only errors are logged, and no progress is shown
bool is_log_quiet();
void set_log_color(const std::string& when);     // always, never; anything else: a terminal without NO_COLOR

}  // namespace dyad
