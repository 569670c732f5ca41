#include "ops/command.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include "common/cli/program.h"

namespace dyad::ops {

int finish(const Status& status) { return cli::finish("dyad", status); }

void add_json_options(CLI::App& command, bool& json, std::string& output) {
  command.add_flag("--json", json, "JSON on stdout, and nothing else there");
  command.add_option("--output", output, "write the result as JSON to this file, too")->type_name("FILE");
}

Status check_output(const std::string& file) {
  if (file == "-") return fail(Code::kInvalid, "--output wants a file; --json prints JSON on stdout");
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return fail(Code::kInvalid, "{}: there is no folder {}; make it, or name another file", file, folder.string());
  if (file.empty() || ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return ok();
  return fail(Code::kInvalid, "{}: its folder can't be written: {}; name another file", file, std::strerror(errno));
}

void on_stop_signals(void (*handler)(int)) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, handler) == SIG_IGN && number == SIGHUP) std::signal(number, SIG_IGN);
}

std::string shell_word(const std::string& word) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || std::strchr("_-./=:@%+,", c); };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace dyad::ops
