#pragma once
// Foreign text in a message of ours: bytes of a damaged or hostile file must neither steer a terminal nor fill it.
// Threads: any; no state.
#include <cstddef>
#include <string>
#include <string_view>

namespace dyad {

// `text` with control bytes and bytes that are no UTF-8 as \xHH, cut behind about `max` bytes ("abc... (1234 bytes)").
std::string printable(std::string_view text, std::size_t max = 80);

}  // namespace dyad
