#include "common/cli/tree.h"

#include <algorithm>
#include <CLI/CLI.hpp>
#include "common/config/keys.h"
#include "common/config/nearest.h"

namespace dyad::cli {

std::string full_name(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent ? full_name(*parent) + " " + app.get_name() : app.get_name();
}

std::vector<CLI::App*> subcommands(const CLI::App& app) {
  std::vector<CLI::App*> out;
  for (auto* sub : const_cast<CLI::App&>(app).get_subcommands([](CLI::App*) { return true; }))
    if (!sub->get_name().empty() && !sub->get_group().empty()) out.push_back(sub);
  return out;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* sub : subcommands(app)) out.push_back(sub->get_name());
  return out;
}

std::vector<CLI::App*> all_commands(CLI::App& app) {
  std::vector<CLI::App*> out{&app};
  for (auto* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    const auto below = all_commands(*sub);
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

std::vector<const CLI::Option*> shown_options(const CLI::App& app) {
  std::vector<const CLI::Option*> out;
  for (const auto* option : app.get_options())
    if (option->nonpositional() && !option->get_group().empty()) out.push_back(option);
  return out;
}

std::vector<const CLI::Option*> positionals(const CLI::App& app) {
  std::vector<const CLI::Option*> out;
  for (const auto* option : app.get_options())
    if (option->get_positional()) out.push_back(option);
  return out;
}

// CLI11 tells them in the type's name alone: "TEXT:{validation,test}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

std::string list_of(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

std::string meant(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::string> longer;
  std::copy_if(names.begin(), names.end(), std::back_inserter(longer),
               [&](const std::string& name) { return name.starts_with(word); });
  return longer.size() == 1 ? longer.front() : config::nearest_of(word, names);
}

}  // namespace dyad::cli
