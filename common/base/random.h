#pragma once
// Counter-based randomness: a value is a pure function of (seed, stream, counter), so that any process, in any order,
// draws the same. No state to save in a checkpoint: a step's draws are keyed by the step.
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace dyad {

// The finaliser of SplitMix64: a bijection on 64 bits whose output passes for random.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  return mix64(mix64(a) ^ (b * 0xd6e8feb86659fd93ull));
}
constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return mix64(mix64(a, b), c); }

// A sequence of draws keyed by up to three numbers.
class KeyedRandom {
 public:
  explicit KeyedRandom(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t key = 0)
      : key_(mix64(seed, stream, key)) {}
  std::uint64_t next() { return mix64(key_, counter_++); }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }            // [0, 1)
  std::uint64_t below(std::uint64_t n) {                                                // [0, n), REQUIRES n > 0
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  double normal() {                                                                     // Box-Muller, one of the pair
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

template <class T> void shuffle(std::vector<T>& values, KeyedRandom& random) {          // Fisher-Yates
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

}  // namespace dyad
