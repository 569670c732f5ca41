// A build without NCCL: says so when asked.
#include "common/comm/collective.h"

namespace dyad::comm {

Status check_nccl() {
  return fail(Code::kInvalid,
              "this build has no NCCL: install the CUDA toolkit and NCCL, build again, or use --set train.device=cpu");
}

Result<std::unique_ptr<Collective>> make_nccl(std::unique_ptr<Collective>, int) { return check_nccl().error(); }

}  // namespace dyad::comm
