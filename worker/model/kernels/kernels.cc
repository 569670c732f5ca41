#include "worker/model/kernels/kernels.h"

namespace dyad::worker::kernels {

const Table& table() {
  static const Table& chosen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                                       __builtin_cpu_supports("avx512cd")
                                   ? table_v4()
                                   : table_v3();
  return chosen;
}

}  // namespace dyad::worker::kernels
