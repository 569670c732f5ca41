#define DYAD_LOOPS v3
#include "worker/model/kernels/loops.h"
namespace dyad::worker::kernels {
const Table& table_v3() { return v3::kTable; }
}  // namespace dyad::worker::kernels
