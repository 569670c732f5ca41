#pragma once
// The subcommands of `dyad`. Each lives in a file of its own (ops/<name>_command.cc), adds its options to the CLI11
// app, and in its callback sets `exit_code = finish(status)`. Every command has --help with an example, --json where a
// script would read its output.
#include <filesystem>
#include <string>
#include "common/base/result.h"

namespace CLI { class App; }

namespace dyad::ops {

// `dyad train` was asked to stop before its end and left a job that goes on with --resume (docs/operations.md). No
// Code: nothing failed, but a script may not take the job for a finished one.
inline constexpr int kStoppedExitCode = 7;

// Prints the error of a failed status as "dyad: <message>" to stderr and gives the exit code: 0, or the error's Code.
int finish(const Status& status);

// One meaning everywhere: --json prints JSON on stdout and nothing else there; --output FILE writes it to a file, too.
void add_json_options(CLI::App& command, bool& json, std::string& output);

// For --output FILE, before the work: kInvalid, naming it, if the folder of `file` is not there or can't be written, or
// `file` is "-", which other programs take for stdout. Empty: ok.
Status check_output(const std::string& file);

// Before long work, for what it writes at its end: kInvalid, naming the folder, if no file can be made in `folder` or,
// where it is not there, in the nearest folder above it.
Status check_can_write(const std::filesystem::path& folder);

// The folder that `path` lies in, whatever slashes it ends in.
std::filesystem::path folder_of(const std::filesystem::path& path);

// `word` as a shell reads it back: quoted where it must be.
std::string shell_word(const std::string& word);

// `handler` for Ctrl-C, SIGTERM and a hang-up, which stays ignored under nohup.
void on_stop_signals(void (*handler)(int));

using AddCommand = void(CLI::App& dyad, int& exit_code);

}  // namespace dyad::ops
