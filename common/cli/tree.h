#pragma once
// The commands of a program as a tree of CLI11's apps: names, words, what was given.
#include <string>
#include <vector>

namespace CLI { class App; class Option; }

namespace dyad::cli {

std::string full_name(const CLI::App& app);                          // "dyad ckpt ls"
// Those that a person may type, in the order of their declaration; not hidden ones.
std::vector<CLI::App*> subcommands(const CLI::App& app);
std::vector<std::string> subcommand_names(const CLI::App& app);
// Of `app` and all below it, in order.
std::vector<CLI::App*> all_commands(CLI::App& app);
std::vector<const CLI::Option*> shown_options(const CLI::App& app);  // with --help; positionals are none
std::vector<const CLI::Option*> positionals(const CLI::App& app);
// The words that an option takes, where they are counted: {"validation", "test"}.
std::vector<std::string> choices_of(const CLI::Option& option);
inline constexpr const char* kCommonGroup = "Options of all commands";
std::string list_of(const std::vector<std::string>& words);          // "a, b or c"

// The word of `names` that was meant by `word`: one that begins so, if it is the only one, or the nearest by edits;
// "" when none is near.
std::string meant(const std::string& word, const std::vector<std::string>& names);

}  // namespace dyad::cli
