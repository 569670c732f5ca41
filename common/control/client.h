#pragma once
// How every process speaks to the coordinator. Each call is one idempotent request, sent again with a bounded backoff
// until it is answered: a coordinator that was killed and restarted (perhaps on another port, see address.h) is found
// again, and the caller does not notice. Only when call_ms is over a call fails, with kDisconnected.
// Threads: one client per thread.  Order for a worker or server: connect, register_, wait_routing, ..., goodbye.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/net/socket.h"
#include "common/wire/messages.h"

namespace dyad::control {

struct ClientOptions {
  wire::Role role = wire::Role::kTool;
  std::uint32_t id = 0;                      // ServerId or WorkerRank
  Incarnation incarnation;                   // of a process that is registered already (its heartbeat thread's client)
  RunId run;                                 // that it registered in
  std::string address;                       // coordinator.address; empty: read <job_dir>/coordinator.json
  std::filesystem::path job_dir;
  net::Security security;                    // the job's (net/job_key.h)
  int call_ms = 60000;                       // bound of one call, restarts of the coordinator included
  int attempt_ms = 2000;                     // without an answer for so long: look up the address and ask again
};

class ControlClient {
 public:
  // Sends nothing yet and does not wait for the coordinator.
  static Result<std::unique_ptr<ControlClient>> connect(const ClientOptions& options);
  virtual ~ControlClient() = default;

  // The client speaks under the incarnation and run that this gives from then on. Say it once per process.
  // kInvalid: the configuration differs from the coordinator's, or the id is not below the configured count.
  virtual Result<wire::Registered> register_(const wire::Register& message) = 0;
  // Waits until every server of the current generation is registered; kDisconnected after timeout_ms, naming who is
  // missing.
  virtual Result<wire::Routing> wait_routing(int timeout_ms) = 0;
  // kRestart: a peer was lost or restarted; leave with code kStale, start again, register, load Registered.checkpoint.
  virtual Result<wire::Command> heartbeat(const wire::Heartbeat& message) = 0;
  // The range of global batches of `epoch` that this rank computes its part of next (every rank gets the same ranges).
  // An empty range: the epoch (or the job, by train.max_steps) is finished. Ranges end where a checkpoint is due.
  virtual Result<wire::Lease> acquire_lease(std::uint64_t epoch, std::uint64_t first_batch) = 0;
  // Say this as soon as the last batch of the lease is pushed, and before cut_part: a cut commits only when the leases
  // before it are complete. A worker that stops early completes its lease with what it has done and then cuts.
  virtual Status complete_lease(const wire::CompleteLease& message) = 0;
  // Sends the part again and again until the cut is committed, is given up, or timeout_ms is over: then call again.
  // Worker 0's facts must carry "epoch" and "next_batch" (decimal): where training goes on after the cut. kStale: a
  // peer restarted.  timeout_ms 0: sends once and does not wait for the commit.
  virtual Result<wire::CutStatus> cut_part(const wire::CutPart& part, int timeout_ms) = 0;
  virtual Status report_eval(const wire::EvalResult& result) = 0;
  // "done" or "stopped"; either of them from every worker ends the job. Waits at most timeout_ms in place of call_ms.
  virtual Status goodbye(const std::string& reason, int timeout_ms) = 0;
  virtual Incarnation incarnation() const = 0;
};

}  // namespace dyad::control
