#include "worker/model/kernels/kernels.h"

#include <atomic>

namespace dyad::worker::kernels {
namespace {
std::atomic<Kernels> chosen{best_kernels()};
}

void use(Kernels kernels) { chosen = kernels; }
Kernels in_use() { return chosen.load(std::memory_order_relaxed); }
const Table& table() { return in_use() == Kernels::kAvx2 ? table_v3() : table_v4(); }

}  // namespace dyad::worker::kernels
