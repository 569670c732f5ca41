#pragma once
// Holds a process to one choice of vector instructions: our loops, LibTorch's, oneDNN's and MKL's. Each of these would
// choose for itself, by the processor it finds, and another choice adds in another order.
#include <map>
#include <string>
#include <vector>
#include "common/base/processor.h"
#include "common/base/result.h"
#include "common/comm/collective.h"

namespace dyad::worker {

// Call before the first operation of LibTorch.  kFailed: LibTorch had chosen already, or does not follow.
Status pin_kernels(Kernels kernels);
// kInvalid on every rank when they do not all use the same: which rank has which part of a batch would decide the sum.
Status check_same_kernels(comm::Collective& all);
// What a manifest tells of this process: "kernels", "libtorch", "glibc".
std::map<std::string, std::string> kernel_facts();
// Each of kernel_facts() that differs from the `facts` of a checkpoint, as "kernels was avx2, is avx512"; what a
// manifest does not tell differs from nothing.
std::vector<std::string> changed_kernels(const std::map<std::string, std::string>& facts);

}  // namespace dyad::worker
