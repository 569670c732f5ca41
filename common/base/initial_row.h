#pragma once
// The initial value of a row of a parameter table, normal(0, stddev), from the seed and the key alone: every server,
// and the evaluation of a row that was never trained, sees the same row. A shorter row is the start of a longer one.
//
// Each float is keyed by its place (counter-based), so a loop without memory draws them, and no math library is asked:
// of two random words the bits that are set in the first (binomial, of 32) and both halves of the second (a triangle,
// which fills the steps between) are added as integers and multiplied once. The bits of a row are the same on every
// processor, by every compiler. Beside a normal: mean 0 and symmetric exactly, the deviation asked for, kurtosis 2.94,
// the distribution function off by 0.0014 at most, .85 times as much beyond 3 deviations, .5 beyond 4, none beyond 6.
// The sum of twelve uniforms, which needs three times the random bits, has 2.90. 128 floats take 90 ns; by Box and
// Muller's logarithm and cosine they took 3.5 us.
#include <cstdint>
#include <span>

namespace dyad {

void initial_row(std::uint64_t seed, std::uint64_t table, std::uint64_t key, float stddev, std::span<float> out);

}  // namespace dyad
