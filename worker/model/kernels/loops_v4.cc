#define DYAD_LOOPS v4
#include "worker/model/kernels/loops.h"
namespace dyad::worker::kernels {
const Table& table_v4() { return v4::kTable; }
}  // namespace dyad::worker::kernels
