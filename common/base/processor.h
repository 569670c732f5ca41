#pragma once
// Which vector instructions the arithmetic of a job may use. They decide the order of additions inside a sum, so two
// processors that use other ones give other last bits: what a sync run's bytes depend on, beside its configuration and
// its log (docs/architecture.md, "What the bytes depend on").
#include <cstdint>
#include <string_view>
#include "common/base/result.h"

namespace dyad {

enum class Kernels : std::uint8_t { kAvx2, kAvx512, kAvx512Bf16 };    // the last multiplies bf16 without widening
inline constexpr int kKernels = 3;
const char* kernels_name(Kernels kernels);                            // "avx2", "avx512", "avx512_bf16"
Kernels best_kernels();                                               // that this processor has
// `wanted` is train.kernels: a name, or "auto" for the best. kInvalid when this processor lacks it.
Result<Kernels> choose_kernels(std::string_view wanted);

}  // namespace dyad
