// A build without NCCL: says so when asked.
#include "common/comm/collective.h"

namespace dyad::comm {

Result<std::unique_ptr<Collective>> make_nccl(std::unique_ptr<Collective>, int) {
  return fail(Code::kNotFound,
              "this build has no NCCL: install the CUDA toolkit and NCCL, build again, or use --set train.device=cpu");
}

}  // namespace dyad::comm
