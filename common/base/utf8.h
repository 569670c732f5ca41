#pragma once
// Whether text from outside is UTF-8. Threads: any; no state.
#include <cstddef>
#include <string_view>

namespace dyad {

// How many bytes at the front of `text` are well-formed UTF-8: all of them, or those before the first fault.
std::size_t utf8_prefix(std::string_view text);

}  // namespace dyad
