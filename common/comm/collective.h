#pragma once
// Collectives between the workers of a job: sums of dense gradients, small reductions, broadcast, barrier.
// Back ends: solo.cc (one rank), mpi.cc, nccl.cc (no_nccl.cc where there is no NCCL). Sums are deterministic: MPI adds
// in rank order 0..R-1 by construction, so a sum does not depend on the network or on the library's choice of
// algorithm. Threads: one owner calls; a back end may run a communication thread of its own. Errors: kDisconnected when
// a peer left, and what `give_up` says: a peer that is frozen answers nothing and breaks no connection.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include "common/base/ids.h"
#include "common/base/result.h"

namespace dyad::comm {

class Collective {
 public:
  virtual ~Collective() = default;
  virtual WorkerRank rank() const = 0;
  virtual std::uint32_t size() const = 0;
  // True if start_sum takes memory of the device (NCCL), false if of the host.
  virtual bool on_device() const = 0;
  // Starts the sum over ranks of `values`, in place, and returns: the caller goes on with the backward pass. All ranks
  // start the same sums in the same order. The memory must live, and stay untouched, until wait() is well; as long as
  // the process if it fails or never comes, for the others may still write there.
  virtual void start_sum(std::span<float> values) = 0;
  virtual Status wait() = 0;                                      // all sums that were started
  // Blocking, host memory. `values` become the sums over ranks, in rank order.
  virtual Status sum(std::span<double> values) = 0;
  virtual Status broadcast(std::span<std::byte> bytes) = 0;       // from rank 0
  virtual Status barrier() = 0;
  // Asked again and again by every wait, from now on: with an error the wait ends with it, and so do all after it.
  // THREADS: asked from any.  Set it while nothing is under way.
  virtual void set_give_up(std::function<Status()> give_up) = 0;
  // Ends this process with `code` and, through the launcher, the other ranks, which would wait for it for ever. In
  // bounded time, also while a sum is under way.
  [[noreturn]] virtual void abort(int code) = 0;
};

std::unique_ptr<Collective> make_solo();

// One MPI job. Constructing it initialises MPI, destroying it finalises: one per process.
// A sum that waits sleeps between looks (the ranks of one machine share its cores with the servers).
Result<std::unique_ptr<Collective>> make_mpi(int* argc, char*** argv);
// The rank that the launcher gave this process (OMPI_COMM_WORLD_RANK), -1 when not under mpirun. Needs no MPI_Init.
int launched_rank();
int launched_size();
int launched_local_rank();           // among the ranks of this machine

// Dense sums by NCCL on `device`, everything else by `control`, which also carries NCCL's id. Fails on every rank
// alike, with kInvalid in a build without NCCL and when a rank has no device. A rank that fails while it joins NCCL
// ends the job by `control`, for the others wait for it inside NCCL.
Result<std::unique_ptr<Collective>> make_nccl(std::unique_ptr<Collective> control, int device);
// Whether this build has NCCL; else make_nccl's error.
Status check_nccl();

}  // namespace dyad::comm
