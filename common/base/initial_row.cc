#include "common/base/initial_row.h"

#include <algorithm>
#include <cstddef>
#include "common/base/random.h"

namespace dyad {
namespace {

constexpr std::size_t kBlock = 16;               // a fixed number, so that the loop becomes vector instructions
constexpr std::uint32_t kGolden = 0x9e3779b9;
constexpr double kDeviation = 187284.71974643313;   // of the sum: sqrt(8 * 2^32 + (2^32 - 1) / 6)
constexpr std::int32_t kMean = 16 * 65536 + 65535;

// A finaliser of two multiplications (Wellons' search: 16-21f0aaad-15-735a2d97-15, bias 0.11) with half a row's key
// added before each.
inline std::uint32_t mixed(std::uint32_t x, std::uint32_t key) {
  x = (x ^ (x >> 16)) * 0x21f0aaadu ^ key;
  x = (x ^ (x >> 15)) * 0x735a2d97u;
  return x ^ (x >> 15);
}

// In plain arithmetic: not every processor counts bits in vectors. Ends in two additions, for by the usual
// multiplication GCC would know what it is and take the instruction of single numbers (5 times as slow).
inline std::uint32_t bits_set(std::uint32_t x) {
  x -= (x >> 1) & 0x55555555u;
  x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0fu;
  x += x >> 8;
  return (x + (x >> 16)) & 0x3f;
}

void draw_block(std::uint32_t first, std::uint32_t key, float scale, float* out) {
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    const std::uint32_t counter = first + 2 * i * kGolden;
    const std::uint32_t a = mixed(counter, key), b = mixed(counter + kGolden, key);
    const auto sum = static_cast<std::int32_t>((bits_set(a) << 16) + (b & 0xffff) + (b >> 16));
    out[i] = static_cast<float>(sum - kMean) * scale;   // the integer has 21 bits: exact
  }
}

}  // namespace

void initial_row(std::uint64_t seed, std::uint64_t table, std::uint64_t key, float stddev, std::span<float> out) {
  const std::uint64_t row = mix64(seed, 0x726f77 + table, key);                        // "row"
  const auto high = static_cast<std::uint32_t>(row >> 32), low = static_cast<std::uint32_t>(row);
  const auto scale = static_cast<float>(static_cast<double>(stddev) / kDeviation);
  const auto counter = [&](std::size_t at) { return high + 2 * kGolden * static_cast<std::uint32_t>(at); };
  const std::size_t whole = out.size() / kBlock * kBlock;
  for (std::size_t at = 0; at < whole; at += kBlock) draw_block(counter(at), low, scale, out.data() + at);
  if (whole == out.size()) return;
  float rest[kBlock];
  draw_block(counter(whole), low, scale, rest);
  std::copy_n(rest, out.size() - whole, out.data() + whole);
}

}  // namespace dyad
