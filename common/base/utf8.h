#pragma once
// Whether text from outside is UTF-8. Threads: any; no state.
#include <cstddef>
#include <string_view>

namespace dyad {

// How many bytes at the front of `text` are well-formed UTF-8: all of them, or those before the first fault.
std::size_t utf8_prefix(std::string_view text);
// Bytes of the character at the front of `text`; 0 where none is well-formed (Unicode 15, table 3-7).
std::size_t utf8_character(std::string_view text);
// As other systems begin a text: EF BB BF says that it is UTF-8, and is no part of it.
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace dyad
