// Dense sums by NCCL on the device, on a stream of its own. The caller's gradients were produced on the default stream,
// so a sum waits for an event recorded there, and wait() makes the default stream wait for ours.
#include "common/comm/collective.h"

#include <cuda_runtime.h>
#include <nccl.h>
#include <cstdlib>
#include <utility>
#include "common/base/log.h"

namespace dyad::comm {
namespace {

Status cuda_checked(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return ok();
  return fail(Code::kFailed, "{}: {}; check the device with nvidia-smi", what, cudaGetErrorString(code));
}
Status nccl_checked(ncclResult_t code, const char* what) {
  if (code == ncclSuccess) return ok();
  return fail(Code::kDisconnected, "{}: {}; a worker or a link is gone, start the job again with --resume", what,
              ncclGetErrorString(code));
}

class Nccl : public Collective {
 public:
  explicit Nccl(std::unique_ptr<Collective> control) : control_(std::move(control)) {}
  ~Nccl() override {
    if (comm_) ncclCommDestroy(comm_);
    if (ready_) cudaEventDestroy(ready_);
    if (stream_) cudaStreamDestroy(stream_);
  }
  Status open(int device) {
    ncclUniqueId id{};
    const Status mine = prepare(device, id);
    double failed = mine ? 0 : 1;
    DYAD_TRYV(control_->sum({&failed, 1}));
    if (!mine) return mine;
    if (failed > 0)
      return fail(Code::kInvalid, "{:.0f} other worker(s) cannot use a device; see their messages", failed);
    DYAD_TRYV(control_->broadcast(std::as_writable_bytes(std::span(&id, 1))));
    const Status joined = nccl_checked(
        ncclCommInitRank(&comm_, static_cast<int>(size()), id, static_cast<int>(rank().value)), "joining NCCL");
    if (joined) return ok();
    LOG_ERROR("{}", joined.error().message);
    control_->abort(static_cast<int>(joined.error().code));
    return joined;                               // not reached
  }
  WorkerRank rank() const override { return control_->rank(); }
  std::uint32_t size() const override { return control_->size(); }
  bool on_device() const override { return true; }

  void start_sum(std::span<float> values) override {
    if (status_.has_value()) status_ = enqueue(values);
  }
  Status wait() override {
    DYAD_TRYV(status_);
    DYAD_TRYV(cuda_checked(cudaEventRecord(ready_, stream_), "recording the sums"));
    return cuda_checked(cudaStreamWaitEvent(cudaStreamLegacy, ready_, 0), "waiting for the sums");
  }
  Status sum(std::span<double> values) override { return control_->sum(values); }
  Status broadcast(std::span<std::byte> bytes) override { return control_->broadcast(bytes); }
  Status barrier() override { return control_->barrier(); }
  // A device that waits for a peer's can't be asked: whoever runs the job ends such a rank (last_resort, train_job.cc).
  void set_give_up(std::function<Status()> give_up) override { control_->set_give_up(std::move(give_up)); }
  [[noreturn]] void abort(int code) override {
    control_->abort(code);
    std::_Exit(code);
  }

 private:
  Status prepare(int device, ncclUniqueId& id) {
    int devices = 0;
    DYAD_TRYV(cuda_checked(cudaGetDeviceCount(&devices), "counting the devices"));
    if (device >= devices)
      return fail(Code::kInvalid, "worker {} needs CUDA device {}, this machine has {}: one worker a GPU, so lower "
                  "train.workers or start fewer on this machine", rank(), device, devices);
    DYAD_TRYV(cuda_checked(cudaSetDevice(device), "choosing the device"));
    DYAD_TRYV(cuda_checked(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"));
    DYAD_TRYV(cuda_checked(cudaEventCreateWithFlags(&ready_, cudaEventDisableTiming), "making an event"));
    return rank() == WorkerRank{0} ? nccl_checked(ncclGetUniqueId(&id), "making NCCL's id") : ok();
  }
  Status enqueue(std::span<float> values) {
    DYAD_TRYV(cuda_checked(cudaEventRecord(ready_, cudaStreamLegacy), "recording the gradients"));
    DYAD_TRYV(cuda_checked(cudaStreamWaitEvent(stream_, ready_, 0), "ordering the sum behind the gradients"));
    return nccl_checked(ncclAllReduce(values.data(), values.data(), values.size(), ncclFloat, ncclSum, comm_, stream_),
                        "all-reduce");
  }
  std::unique_ptr<Collective> control_;
  ncclComm_t comm_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t ready_ = nullptr;
  Status status_ = ok();
};

}  // namespace

Status check_nccl() { return ok(); }

Result<std::unique_ptr<Collective>> make_nccl(std::unique_ptr<Collective> control, int device) {
  auto nccl = std::make_unique<Nccl>(std::move(control));
  DYAD_TRYV(nccl->open(device));
  return std::unique_ptr<Collective>(std::move(nccl));
}

}  // namespace dyad::comm
