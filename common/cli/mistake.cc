#include "common/cli/mistake.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include "common/cli/tree.h"

namespace dyad::cli {
namespace {

// From the program down to the command that was reached.
std::vector<CLI::App*> given(CLI::App& app) {
  std::vector<CLI::App*> path{&app};
  for (;;) {
    const auto parsed = path.back()->get_subcommands();
    if (parsed.empty()) return path;
    path.push_back(parsed.back());
  }
}

std::string help_of(const CLI::App& app) { return fmt::format("`{} --help` says more", full_name(app)); }

std::string no_option(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const auto* option : shown_options(app))
    for (const auto& one : option->get_lnames()) names.push_back("--" + one);
  const std::string nearest = meant(name, names);
  return fmt::format("{} has no option {}; {}", full_name(app), name,
                     nearest.empty() ? help_of(app) : fmt::format("did you mean {}?", nearest));
}

// A word that is a command elsewhere in the tree: "verify" of `dyad ckpt verify`.
std::string elsewhere(CLI::App& root, const std::string& word) {
  for (const auto* app : all_commands(root))
    if (app->get_name() == word && app->get_parent() && !app->get_group().empty()) return full_name(*app);
  return "";
}

CLI::App& root_of(CLI::App& app) { return app.get_parent() ? root_of(*app.get_parent()) : app; }

std::string no_argument(const CLI::App& app, const std::string& word) {
  const auto* json = app.get_option_no_throw("--json");
  const bool after_json = json && json->count() > 0 && app.get_option_no_throw("--output");
  return fmt::format("{} takes no argument \"{}\"; {}", full_name(app), word,
                     after_json ? "--json prints on stdout, --output FILE writes a file" : help_of(app));
}

}  // namespace

std::string no_command(CLI::App& app, const std::string& word) {
  const auto names = subcommand_names(app);
  if (names.empty()) return no_argument(app, word);
  std::string nearest = meant(word, names);
  nearest = nearest.empty() ? elsewhere(root_of(app), word) : full_name(app) + " " + nearest;
  return fmt::format("{} has no command \"{}\"; {}", full_name(app), word,
                     nearest.empty() ? "its commands: " + list_of(names) : fmt::format("did you mean `{}`?", nearest));
}

std::string mistake(CLI::App& app, const CLI::ParseError& error) {
  const auto path = given(app);
  for (auto* level : path) {
    const auto extra = level->remaining();
    if (extra.empty()) continue;
    const std::string& word = extra.front();
    if (word.size() > 1 && word.front() == '-') return no_option(*level, word);
    return no_command(*level, word);
  }
  const CLI::App& last = *path.back();
  if (error.get_name() == "RequiredError" && !subcommands(last).empty())
    return fmt::format("{} wants a command: {}; {}", full_name(last), list_of(subcommand_names(last)), help_of(last));
  return fmt::format("{}: {}; {}", full_name(last), error.what(), help_of(last));
}

}  // namespace dyad::cli
