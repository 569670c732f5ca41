// dyad completion, dyad man: what shells and man(1) know of the commands, out of the commands themselves.
#include <cstdio>
#include <memory>
#include <CLI/CLI.hpp>
#include "common/cli/completion.h"
#include "common/cli/man.h"
#include "ops/command.h"

namespace dyad::ops {

void add_completion_command(CLI::App& dyad, int&) {
  auto* command = dyad.add_subcommand("completion", "Print a script that completes commands, options and keys");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example: source <(dyad completion bash)   # or into the folder that your shell reads");
  command->callback([&dyad, shell] {
    const auto script = *shell == "bash"  ? cli::bash_completion(dyad)
                        : *shell == "zsh" ? cli::zsh_completion(dyad)
                                          : cli::fish_completion(dyad);
    std::fputs(script.c_str(), stdout);
  });
}

void add_man_command(CLI::App& dyad, int&) {
  auto* command = dyad.add_subcommand("man", "Print the manual page, for man(1)");
  command->footer("Example: dyad man | man -l -");
  command->callback([&dyad] { std::fputs(cli::man_page(dyad).c_str(), stdout); });
}

}  // namespace dyad::ops
