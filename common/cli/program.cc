#include "common/cli/program.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <CLI/CLI.hpp>
#include "common/base/quiet.h"
#include "common/base/scarcity.h"
#include "common/cli/mistake.h"
#include "common/cli/output.h"
#include "common/cli/tree.h"
#include "common/cli/version.h"

namespace dyad::cli {
namespace {

void add_common_options(CLI::App& app) {
  app.add_flag_callback("-q,--quiet", [] { set_log_quiet(); },
                        "say on stderr what failed, and nothing else; results stay on stdout")
      ->group(kCommonGroup);
  app.add_option_function<std::string>(
         "--color", [](const std::string& when) { set_log_color(when); },
         "colours of the log on stderr: auto (on a terminal, without NO_COLOR), always or never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->group(kCommonGroup);
}

// The command that `words` name below `from`.
Result<CLI::App*> command_of(CLI::App& from, const std::vector<std::string>& words) {
  CLI::App* app = &from;
  for (const auto& word : words) {
    const auto names = subcommand_names(*app);
    if (std::find(names.begin(), names.end(), word) == names.end())
      return fail(Code::kInvalid, "{}", no_command(*app, word));
    app = app->get_subcommand(word);
  }
  return app;
}

// `dyad help ckpt ls` is `dyad ckpt ls --help`; `said` gets its exit code.
void add_help(CLI::App& level, const std::string& program, std::optional<int>& said) {
  const std::string first = subcommand_names(level).front();
  auto* help = level.add_subcommand("help", "What a command does and its options: the same as its --help");
  if (level.get_parent()) help->group("");                     // works, but the list of commands need not name it
  auto words = std::make_shared<std::vector<std::string>>();
  help->add_option("command", *words, "the command's name, such as `ckpt ls`; without one, what there is");
  help->footer(fmt::format("Example: {} help {}", full_name(level), first));
  help->callback([&level, &said, program, words] {
    const auto found = command_of(level, *words);
    said = found ? 0 : finish(program.c_str(), found.error());
    if (!found) return;
    const CLI::App* app = found.value();                       // its own help() is of the command that was given
    std::fputs(app->get_formatter()->make_help(app, full_name(*app), CLI::AppFormatMode::Normal).c_str(), stdout);
  });
}

// --help, --version. By stdio, like all else: what std::cout could not write, nobody knows why.
int print_asked(const CLI::App& app, const CLI::ParseError& asked) {
  std::ostringstream text, none;
  const int code = app.exit(asked, text, none);
  std::fputs(text.str().c_str(), stdout);
  return code;
}

int parse_and_work(CLI::App& app, int argc, char** argv, const std::function<int()>& work) {
  const std::string program = std::filesystem::path(argc > 0 ? argv[0] : "dyad").filename();
  app.name(program);
  app.set_version_flag("--version", version_text(program));
  std::optional<int> said;                                     // by a help command, which leaves no work
  for (auto* level : all_commands(app)) {
    add_common_options(*level);
    if (!subcommands(*level).empty()) add_help(*level, program, said);
  }
  try {
    app.parse(argc, argv);
    return said ? *said : work();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return print_asked(app, e);
    return finish(program.c_str(), fail(Code::kInvalid, "{}", mistake(app, e)));
  } catch (const std::exception& e) {                          // of the standard library: no memory, a path too long
    return finish(program.c_str(), error_of(e));
  }
}

}  // namespace

int finish(const char* program, const Status& status) {
  if (status.has_value()) return 0;
  std::fprintf(stderr, "%s: %s\n", program, status.error().message.c_str());
  return static_cast<int>(status.error().code);
}

int run(CLI::App& app, int argc, char** argv, const std::function<int()>& work) {
  guard_descriptors();
  const int code = parse_and_work(app, argc, argv, work);
  std::string why;
  switch (flush_output(why)) {
    case Output::kWritten: return code;
    case Output::kNoReader: return code == 0 ? kNoReaderExitCode : code;
    case Output::kLost: break;
  }
  std::fprintf(stderr, "%s: standard output could not be written, what this command had to say is lost: %s\n",
               app.get_name().c_str(), why.c_str());
  return code == 0 ? kUnwrittenExitCode : code;
}

}  // namespace dyad::cli
