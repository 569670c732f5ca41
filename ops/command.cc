#include "ops/command.h"

#include <csignal>
#include <cstdio>
#include <filesystem>

namespace dyad::ops {

int finish(const Status& status) {
  if (status.has_value()) return 0;
  std::fprintf(stderr, "dyad: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}

Status check_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return ok();
  return fail(Code::kInvalid, "{}: there is no folder {}; make it, or name another file", file, folder.string());
}

void on_stop_signals(void (*handler)(int)) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, handler) == SIG_IGN && number == SIGHUP) std::signal(number, SIG_IGN);
}

}  // namespace dyad::ops
