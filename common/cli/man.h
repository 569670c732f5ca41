#pragma once
// The manual page out of the tree of commands, as roff for man(1). A pure function.
#include <string>

namespace CLI { class App; }

namespace dyad::cli {

std::string man_page(CLI::App& root);

}  // namespace dyad::cli
