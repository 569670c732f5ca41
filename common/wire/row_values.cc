#include "common/wire/row_values.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

namespace dyad::wire {
namespace {

constexpr float kHalfMax = 65504.0f;

__attribute__((target("avx,f16c"))) void narrow(const float* from, std::size_t n, float scale, std::byte* to) {
  const __m256 factor = _mm256_set1_ps(scale), high = _mm256_set1_ps(kHalfMax), low = _mm256_set1_ps(-kHalfMax);
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    // operand order: min/max hand the second operand on when one is NaN, so that a NaN arrives as NaN
    const __m256 x = _mm256_max_ps(low, _mm256_min_ps(high, _mm256_mul_ps(_mm256_loadu_ps(from + i), factor)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; ++i) {
    const float scaled = from[i] * scale;
    const float x = scaled > kHalfMax ? kHalfMax : scaled < -kHalfMax ? -kHalfMax : scaled;
    const auto half = static_cast<std::uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
    std::memcpy(to + 2 * i, &half, 2);
  }
}

template <bool kAdd>
__attribute__((target("avx,f16c"))) void widen(const std::byte* from, std::size_t n, float scale, float* to) {
  const __m256 factor = _mm256_set1_ps(scale);
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * i));
    const __m256 x = _mm256_mul_ps(_mm256_cvtph_ps(half), factor);
    _mm256_storeu_ps(to + i, kAdd ? _mm256_add_ps(_mm256_loadu_ps(to + i), x) : x);
  }
  for (; i < n; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + 2 * i, 2);
    const float x = _cvtsh_ss(half) * scale;
    to[i] = kAdd ? to[i] + x : x;
  }
}

}  // namespace

void to_wire(const float* from, std::size_t n, ValueType type, float scale, std::byte* to) {
  if (type == ValueType::kFp16) return narrow(from, n, scale, to);
  if (n == 0) return;                            // a frame of no rows has no bytes: memcpy wants none either
  if (scale == 1.0f) { std::memcpy(to, from, n * sizeof(float)); return; }
  for (std::size_t i = 0; i < n; ++i) {
    const float x = from[i] * scale;
    std::memcpy(to + 4 * i, &x, 4);
  }
}

void from_wire(const std::byte* from, std::size_t n, ValueType type, float scale, float* to) {
  if (type == ValueType::kFp16) return widen<false>(from, n, scale, to);
  if (n == 0) return;
  std::memcpy(to, from, n * sizeof(float));
  if (scale != 1.0f) for (std::size_t i = 0; i < n; ++i) to[i] *= scale;
}

void add_from_wire(const std::byte* from, std::size_t n, ValueType type, float scale, float* to) {
  if (type == ValueType::kFp16) return widen<true>(from, n, scale, to);
  for (std::size_t i = 0; i < n; ++i) {
    float x;
    std::memcpy(&x, from + 4 * i, 4);
    to[i] += scale * x;
  }
}

}  // namespace dyad::wire
