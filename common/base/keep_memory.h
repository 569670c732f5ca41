#pragma once
// A training step frees and allocates the same few hundred large tensors again and again. By default glibc returns
// blocks above 128 KB to the kernel at once, which then clears every page anew: about a tenth of a step's time in the
// worker, half of it in the behaviour encoder. A server gains nothing (measured with 8 MB messages), and would keep the
// memory that rows took while a cut was written.
namespace dyad {

// Tells malloc to keep freed memory (bounded by the largest use so far). Call once, at the start of a program. THREADS:
// one.
void keep_freed_memory();

}  // namespace dyad
