#include "worker/model/pin_kernels.h"

#include <ATen/Version.h>
#include <gnu/libc-version.h>
#include <torch/csrc/api/include/torch/version.h>
#include <array>
#include <cstdlib>
#include "worker/model/kernels/kernels.h"

namespace dyad::worker {
namespace {

struct Names { const char *libtorch, *onednn, *mkl; };       // values of the variables that the libraries read
Names names_of(Kernels kernels) {
  switch (kernels) {
    case Kernels::kAvx2: return {"avx2", "AVX2", "AVX2"};
    case Kernels::kAvx512: return {"avx512", "AVX512_CORE", "AVX512"};
    case Kernels::kAvx512Bf16: break;
  }
  return {"avx512", "AVX512_CORE_BF16", "AVX512"};
}

}  // namespace

Status pin_kernels(Kernels kernels) {
  const Names names = names_of(kernels);
  setenv("ATEN_CPU_CAPABILITY", names.libtorch, 1);
  setenv("ONEDNN_MAX_CPU_ISA", names.onednn, 1);
  setenv("MKL_CBWR", names.mkl, 1);
  kernels::use(kernels);
  const std::string got = at::get_cpu_capability(), wanted = kernels == Kernels::kAvx2 ? "AVX2" : "AVX512";
  if (got != wanted) return fail(Code::kFailed, "LibTorch computes with {}, not with {} as it was told", got, wanted);
  return ok();
}

Status check_same_kernels(comm::Collective& all) {
  std::array<double, kKernels> ranks{};
  const auto mine = static_cast<std::size_t>(kernels::in_use());
  ranks[mine] = 1;
  DYAD_TRYV(all.sum(ranks));
  if (ranks[mine] == all.size()) return ok();
  std::string found;
  std::size_t least = kKernels;
  for (std::size_t i = kKernels; i-- > 0;) {
    if (ranks[i] == 0) continue;
    least = i;
    found += fmt::format("{}{} rank(s) with {}", found.empty() ? "" : ", ", ranks[i],
                         kernels_name(static_cast<Kernels>(i)));
  }
  return fail(Code::kInvalid,
              "the machines of this job have other vector instructions ({}): set train.kernels = \"{}\", which all "
              "have",
              found, kernels_name(static_cast<Kernels>(least)));
}

std::map<std::string, std::string> kernel_facts() {
  return {{"kernels", kernels_name(kernels::in_use())}, {"libtorch", TORCH_VERSION}, {"glibc", gnu_get_libc_version()}};
}

std::vector<std::string> changed_kernels(const std::map<std::string, std::string>& facts) {
  std::vector<std::string> changed;
  for (const auto& [name, mine] : kernel_facts())
    if (const auto before = facts.find(name); before != facts.end() && before->second != mine)
      changed.push_back(fmt::format("{} was {}, is {}", name, before->second, mine));
  return changed;
}

}  // namespace dyad::worker
