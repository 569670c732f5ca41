#pragma once
// Rows on the wire as fp16 (ValueType::kFp16), by the F16C instructions. Values beyond the range of fp16 saturate.
// Gradients travel times kGradientScale: those of a mean loss over 512 samples lie near 1e-6, where bare fp16 has few
// bits left. The scale is a power of two and so costs no accuracy of its own. Threads: any. Buffers need no alignment.
#include <cstddef>
#include "common/wire/messages.h"

namespace dyad::wire {

inline constexpr float kGradientScale = 1024.0f;

// n floats times `scale` into wire form, or back (times `scale` after widening). ValueType::kFp32 with scale 1 is
// memcpy.
void to_wire(const float* from, std::size_t n, ValueType type, float scale, std::byte* to);
void from_wire(const std::byte* from, std::size_t n, ValueType type, float scale, float* to);
// Adds instead of storing.
void add_from_wire(const std::byte* from, std::size_t n, ValueType type, float scale, float* to);
// The scales of a push: gradients(type) towards the wire, its inverse back.
inline float gradient_scale(ValueType type) { return type == ValueType::kFp16 ? kGradientScale : 1.0f; }

}  // namespace dyad::wire
