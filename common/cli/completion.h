#pragma once
// Shell completion out of the tree of commands. Pure functions.
#include <string>

namespace CLI { class App; }

namespace dyad::cli {

// A script to source: commands, options, the words that an option takes, configuration keys after --set, else files.
std::string bash_completion(CLI::App& root);
std::string zsh_completion(CLI::App& root);          // the same through zsh's bashcompinit
std::string fish_completion(CLI::App& root);

}  // namespace dyad::cli
