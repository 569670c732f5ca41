#include "ops/command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace dyad::ops {

int finish(const Status& status) {
  if (status.has_value()) return 0;
  std::fprintf(stderr, "dyad: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}

Status check_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return fail(Code::kInvalid, "{}: there is no folder {}; make it, or name another file", file, folder.string());
  if (file.empty() || file == "-" || ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return ok();
  return fail(Code::kInvalid, "{}: its folder can't be written: {}; name another file", file, std::strerror(errno));
}

void on_stop_signals(void (*handler)(int)) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, handler) == SIG_IGN && number == SIGHUP) std::signal(number, SIG_IGN);
}

}  // namespace dyad::ops
