#pragma once
// A training step frees and allocates the same few hundred large tensors again and again. By default glibc returns
// blocks above 128 KB to the kernel at once, which then clears every page anew: about a tenth of a step's time.

namespace dyad::worker {
// Tells malloc to keep freed memory (bounded by the largest use so far). Call once, at the start of a program. THREADS:
// one.
void keep_freed_memory();
}  // namespace dyad::worker
