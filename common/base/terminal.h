#pragma once
// What the terminal that a person looks at can show. Reads the environment, as every program on a terminal does.
// Threads: any; no state.
#include <cstddef>
#include <string>
#include <string_view>

namespace dyad {

// Whether `fd` is a terminal on which a line can be drawn over: one with a TERM that is not "dumb".
bool is_drawable(int fd);
// Columns of it now, also after its window was resized; 80 when nobody knows. A pipe of mpirun's, at whose end a
// terminal is, has the width of the process's own terminal.
std::size_t columns_of(int fd);
// Whether block characters are wanted: the locale's characters are UTF-8 and NO_COLOR does not ask for plain text.
bool are_blocks_wanted();

bool is_color_unwanted();                  // NO_COLOR is set and not empty (https://no-color.org)

// Columns that UTF-8 text takes: 2 for wide characters, 0 for combining ones, 1 for a byte that is none.
std::size_t width_of(std::string_view text);
// The front of `text` that takes at most so many columns.
std::string clipped(std::string_view text, std::size_t columns);

}  // namespace dyad
