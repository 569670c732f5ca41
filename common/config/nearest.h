#pragma once
// The name that somebody may have meant. Threads: pure functions.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dyad::config {

// The known key nearest to a misspelt one, by edit distance; empty if none is near. A key of the right name in another
// section counts as near.
std::string nearest_key(std::string_view full_name);
// The entry of `names` nearest to `word`, empty if none is near.
std::string nearest_of(std::string_view word, const std::vector<std::string>& names);
std::size_t edit_distance(std::string_view a, std::string_view b);   // Levenshtein, a swap of neighbours counts 1

}  // namespace dyad::config
