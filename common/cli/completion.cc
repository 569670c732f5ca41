#include "common/cli/completion.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include "common/cli/tree.h"
#include "common/config/keys.h"

namespace dyad::cli {
namespace {

std::vector<std::string> words_of(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const auto& name : option.get_lnames()) out.push_back("--" + name);
  for (const auto& name : option.get_snames()) out.push_back("-" + name);
  return out;
}

std::string key_words() {
  std::string out;
  for (const auto& key : config::keys()) out += (out.empty() ? "" : " ") + key.full_name() + "=";
  return out;
}

bool is_set(const CLI::Option& option) { return option.check_lname("set"); }

// "dyad ckpt"|"dyad ckpt ls"
std::string all_paths(CLI::App& root, const char* between) {
  std::string out;
  for (const auto* app : all_commands(root))
    if (app->get_parent()) out += fmt::format("{}'{}'", out.empty() ? "" : between, full_name(*app));
  return out;
}

// The branch of a case for each option that takes a value: what may stand behind it.
std::string values_branches(CLI::App& root) {
  std::string out;
  for (const auto* app : all_commands(root))
    for (const auto* option : shown_options(*app)) {
      if (option->get_expected_max() == 0) continue;
      std::string pattern;
      for (const auto& word : words_of(*option))
        pattern += fmt::format("{}'{} {}'", pattern.empty() ? "" : "|", full_name(*app), word);
      const auto choices = choices_of(*option);
      const std::string words = is_set(*option) ? "$keys" : fmt::format("{}", fmt::join(choices, " "));
      out += fmt::format("    {}) _{}_values \"{}\" ;;\n", pattern, root.get_name(), words);
    }
  return out;
}

std::string words_branches(CLI::App& root) {
  std::string out;
  for (const auto* app : all_commands(root)) {
    auto words = subcommand_names(*app);
    for (const auto* option : shown_options(*app))
      for (auto& word : words_of(*option)) words.push_back(std::move(word));
    out += fmt::format("    '{}') words=\"{}\" ;;\n", full_name(*app), fmt::join(words, " "));
  }
  return out;
}

// A word in single quotes of fish.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return "'" + out + "'";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string fish_option(const CLI::Option& option) {
  std::string out;
  for (const auto& name : option.get_lnames()) out += " -l " + name;
  for (const auto& name : option.get_snames()) out += " -s " + name;
  const auto choices = choices_of(option);
  if (is_set(option)) out += " -x -a " + quoted(key_words());
  else if (!choices.empty()) out += fmt::format(" -x -a {}", quoted(fmt::format("{}", fmt::join(choices, " "))));
  else if (option.get_expected_max() > 0) out += " -r";
  return out + " -d " + quoted(first_line(option.get_description()));
}

}  // namespace

std::string bash_completion(CLI::App& root) {
  const std::string name = root.get_name();
  std::string out = fmt::format("# Completion of {0}. Bash: source <({0} completion bash)\n", name);
  out += fmt::format("_{}_values() {{\n", name);
  out += "  COMPREPLY=()\n  [ -n \"$1\" ] && COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n";
  out += "  [[ \"$1\" == *= ]] && type compopt >/dev/null 2>&1 && compopt -o nospace 2>/dev/null\n  return 0\n}\n";
  out += fmt::format("_{0}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}", name);
  out += fmt::format(" path={} words='' i\n  local keys='{}'\n", name, key_words());
  out += "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$path ${COMP_WORDS[i]}\" in\n";
  out += fmt::format("      {}) path=\"$path ${{COMP_WORDS[i]}}\" ;;\n    esac\n  done\n", all_paths(root, "|"));
  out += "  case \"$path $prev\" in\n" + values_branches(root) + "    *) false ;;\n  esac && return\n";
  out += "  case \"$path\" in\n" + words_branches(root) + "  esac\n";
  out += "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n";
  out += fmt::format("complete -o default -F _{0} {0}\n", name);    // files where no word fits
  return out;
}

std::string zsh_completion(CLI::App& root) {
  return fmt::format("#compdef {}\nautoload -U +X bashcompinit && bashcompinit\n", root.get_name()) +
         bash_completion(root);
}

std::string fish_completion(CLI::App& root) {
  const std::string name = root.get_name();
  std::string out = fmt::format("# Completion of {0}. Fish: {0} completion fish | source\n", name);
  out += fmt::format("function __{}_path\n  set -l path {}\n  for word in (commandline -opc)[2..-1]\n", name, name);
  out += fmt::format("    if contains -- \"$path $word\" {}\n      set path \"$path $word\"\n    end\n  end\n",
                     all_paths(root, " "));
  out += "  echo $path\nend\n";
  for (const auto* app : all_commands(root)) {
    const std::string at = fmt::format("complete -c {} -n {}", name,
                                       quoted(fmt::format("test (__{}_path) = '{}'", name, full_name(*app))));
    for (const auto* sub : subcommands(*app))
      out += fmt::format("{} -f -a {} -d {}\n", at, sub->get_name(), quoted(first_line(sub->get_description())));
    for (const auto* option : shown_options(*app)) out += at + fish_option(*option) + "\n";
  }
  return out;
}

}  // namespace dyad::cli
