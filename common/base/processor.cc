#include "common/base/processor.h"

namespace dyad {

const char* kernels_name(Kernels kernels) {
  return kernels == Kernels::kAvx2 ? "avx2" : kernels == Kernels::kAvx512 ? "avx512" : "avx512_bf16";
}

Kernels best_kernels() {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  if (!avx512) return Kernels::kAvx2;
  return __builtin_cpu_supports("avx512bf16") ? Kernels::kAvx512Bf16 : Kernels::kAvx512;
}

Result<Kernels> choose_kernels(std::string_view wanted) {
  const Kernels best = best_kernels();
  if (wanted == "auto") return best;
  for (int i = 0; i <= static_cast<int>(best); ++i)
    if (wanted == kernels_name(static_cast<Kernels>(i))) return static_cast<Kernels>(i);
  return fail(Code::kInvalid,
              "train.kernels = \"{}\", but this processor has no more than {}: run on one that has it, or begin a job "
              "with train.kernels = \"{}\"",
              wanted, kernels_name(best), kernels_name(best));
}

}  // namespace dyad
