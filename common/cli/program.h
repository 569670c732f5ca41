#pragma once
// The way into and out of every program of ours. Each main.cc declares its options and calls `run` once.
#include <functional>
#include "common/base/result.h"

namespace CLI { class App; }

namespace dyad::cli {

// A program's code when what it did is done but standard output could not be written (docs/operations.md). No Code: a
// script must tell it from a failure of the work.
inline constexpr int kUnwrittenExitCode = 8;
// As of a program that SIGPIPE ended: what shells expect where the reader has left, as in `dyad ckpt ls run | head -1`.
inline constexpr int kNoReaderExitCode = 128 + 13;

// Adds to every level of `app` what all have, parses, calls `work` and gives the exit code. Of a command line that is
// wrong it says on stderr what and what was meant perhaps, and gives kInvalid. Output that is lost makes a code of 0
// another one. A program whose subcommands have callbacks needs no `work`.
int run(CLI::App& app, int argc, char** argv, const std::function<int()>& work);

// "<program>: <message>" on stderr for an error. Gives the exit code: 0, or the error's Code.
int finish(const char* program, const Status& status);

}  // namespace dyad::cli
