#include "ops/command.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
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
  std::error_code none;
  if (std::filesystem::is_character_file(file, none) || std::filesystem::is_fifo(file, none)) return ok();
  if (file == "-") return fail(Code::kInvalid, "--output wants a file; --json prints JSON on stdout");
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return fail(Code::kInvalid, "{}: there is no folder {}; make it, or name another file", file, folder.string());
  return file.empty() ? ok() : check_can_write(folder);
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto normal = path.lexically_normal();
  return normal.has_filename() ? normal.parent_path() : normal.parent_path().parent_path();
}

// Asked by trying: what access() says is not all that a read-only disk, a quota or a container may say.
Status check_can_write(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::path at = folder.empty() ? "." : folder;
  while (!std::filesystem::exists(at, ignored) && at.has_parent_path() && at != at.parent_path()) at = at.parent_path();
  if (!std::filesystem::exists(at, ignored)) at = ".";
  if (!std::filesystem::is_directory(at, ignored))
    return fail(Code::kInvalid, "{} is no folder; name another place", at.string());
  std::string name = (at / ".dyad-try-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0)
    return fail(Code::kInvalid, "the folder {} can't be written: {}; name another place, or make it yours", at.string(),
                std::strerror(errno));
  ::close(fd);
  ::unlink(name.c_str());
  return ok();
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
