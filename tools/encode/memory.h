#pragma once
// Freed memory stays with the process: the tensors of a training step are of some 10 MB, which malloc otherwise takes
// from the kernel and gives back at every operation (half of DIN's time went into page faults).
#include <malloc.h>

namespace dyad::encode {

inline void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace dyad::encode
