#pragma once
// Which build this is. Written anew by cmake/version.cmake when the repository's state has changed.
#include <string>

namespace dyad::cli {

// "dyad 0.1.0 (git 8a6fae0)\nprotocol 1, checkpoint format 1, ..." for --version.
std::string version_text(const std::string& program);
// "0.1.0", or "0.1.0+8a6fae0" where the build knows its commit.
std::string version();

}  // namespace dyad::cli
