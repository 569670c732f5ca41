#include "common/base/random.h"

namespace dyad {

void initial_row(std::uint64_t seed, std::uint64_t table, std::uint64_t key, float stddev, std::span<float> out) {
  KeyedRandom random(seed, 0x726f77 + table, key);  // "row"
  for (float& x : out) x = stddev * static_cast<float>(random.normal());
}

}  // namespace dyad
