#pragma once
// Logging by spdlog: one line an event, with role, rank and step. `set_log_role` once at the start of a program.
// Threads: any. Lines go to stderr; a launcher redirects them to a file per process.
#include <string>
#include <spdlog/spdlog.h>
#include "common/base/ids.h"

namespace dyad {
void set_log_role(const std::string& role, int rank);   // "worker", 1; rank < 0: none
void set_log_step(Step step);                           // shown in the lines that follow
void set_log_level(const std::string& level);           // trace debug info warn error; anything else means info
}  // namespace dyad

#define LOG_DEBUG(...) ::spdlog::debug(__VA_ARGS__)
#define LOG_INFO(...) ::spdlog::info(__VA_ARGS__)
#define LOG_WARN(...) ::spdlog::warn(__VA_ARGS__)
#define LOG_ERROR(...) ::spdlog::error(__VA_ARGS__)
