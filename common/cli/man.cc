#include "common/cli/man.h"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include "common/cli/tree.h"
#include "common/cli/version.h"

namespace dyad::cli {
namespace {

// Text as roff takes it: a backslash and a dash are commands of its own, as is a dot or quote that begins a line.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool begins = out.empty() || out.back() == '\n';
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// "FILE", "{auto,always,never}", "TEXT"
std::string value_of(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return "";
  const auto choices = choices_of(option);
  if (choices.empty()) return option.get_type_name().substr(0, option.get_type_name().find(':'));
  std::string out;
  for (const auto& choice : choices) out += (out.empty() ? "" : "|") + choice;
  return out;
}

std::string tag(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "" : ", ") + ("-" + name);
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "" : ", ") + ("--" + name);
  const std::string value = value_of(option);
  return "\\fB" + roff(names) + "\\fR" + (value.empty() ? "" : " \\fI" + roff(value) + "\\fR");
}

std::string option_text(const CLI::Option& option) {
  std::string out = option.get_description();
  if (!option.get_default_str().empty()) out += " (default: " + option.get_default_str() + ")";
  return out;
}

std::string options_of(const CLI::App& app, bool common) {
  std::string out;
  for (const auto* option : shown_options(app)) {
    const bool is_common = option->get_group() == kCommonGroup || option->check_lname("help");
    if (is_common == common) out += ".TP\n" + tag(*option) + "\n" + roff(option_text(*option)) + "\n";
  }
  return out;
}

std::string synopsis(const CLI::App& app) {
  std::string out = "\\fB" + roff(full_name(app)) + "\\fR [\\fIoptions\\fR]";
  for (const auto* positional : positionals(app)) {
    const std::string name = "\\fI" + roff(positional->get_name(true)) + "\\fR";
    out += positional->get_required() ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string command_section(const CLI::App& app) {
  std::string out =
      ".SS " + roff(full_name(app)) + "\n" + synopsis(app) + "\n.PP\n" + roff(app.get_description()) + ".\n";
  for (const auto* positional : positionals(app))
    out += ".TP\n\\fI" + roff(positional->get_name(true)) + "\\fR\n" + roff(positional->get_description()) + "\n";
  out += options_of(app, /*common=*/false);
  if (!app.get_footer().empty()) out += ".PP\n.nf\n" + roff(app.get_footer()) + "\n.fi\n";
  return out;
}

// docs/operations.md explains them.
constexpr const char* kExitStatus[][2] = {
    {"0", "done"},
    {"1", "failed; ckpt diff: not equal"},
    {"2", "fix the input, the configuration or the command line"},
    {"3", "the named thing does not exist"},
    {"4", "a peer was restarted: start this process again"},
    {"5", "a bound was reached, or another job is at work in this job.dir"},
    {"6", "a peer is gone or unreachable"},
    {"7", "train: stopped before the end of the job, go on with --resume"},
    {"8", "standard output could not be written; the work is done"},
    {"141", "the reader of standard output has left"},
};

}  // namespace

std::string man_page(CLI::App& root) {
  const std::string name = root.get_name();
  std::string out = fmt::format(".TH {} 1 \"\" \"Dyad {}\" \"Dyad\"\n.SH NAME\n{} \\- {}\n", upper(name), version(),
                                name, roff(root.get_description()));
  out += ".SH SYNOPSIS\n\\fB" + name + "\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.SH COMMANDS\n";
  for (const auto* app : all_commands(root))
    if (app->get_parent() && !app->get_group().empty() && subcommands(*app).empty()) out += command_section(*app);
  out += ".SH OPTIONS\nOf all commands:\n" + options_of(root, /*common=*/true);
  out += ".SH EXIT STATUS\n";
  for (const auto& [code, what] : kExitStatus) out += fmt::format(".TP\n{}\n{}\n", code, roff(what));
  out += ".SH ENVIRONMENT\n.TP\nDYAD_SECTION_KEY\n" +
         roff("a key of the configuration, over the file and under --set: DYAD_TRAIN_EPOCHS=3") + "\n";
  out += ".TP\nNO_COLOR\n" + roff("set and not empty: no colours, no block characters") + "\n";
  return out;
}

}  // namespace dyad::cli
