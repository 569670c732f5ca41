#pragma once
// What to say of a command line that CLI11 did not take.
#include <string>

namespace CLI { class App; class ParseError; }

namespace dyad::cli {

// One line that names the command. The first word that nothing takes
// comes before what CLI11 found: of `dyad encode tex` it says that a subcommand is wanted.
std::string mistake(CLI::App& app, const CLI::ParseError& error);

// `word` stands where one of app's commands is wanted and is none, or where app takes no word at all.
std::string no_command(CLI::App& app, const std::string& word);

}  // namespace dyad::cli
