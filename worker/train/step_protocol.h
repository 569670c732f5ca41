#pragma once
// What a rank has agreed with the servers and the coordinator about each step: how old the rows may be that it computes
// on, under which lease its samples are counted, and after which steps a checkpoint is cut. A pure core, apart from
// MPI, LibTorch and sockets: messages come out and their answers go in. Every rank decides alike without asking the
// others. Threads: one.
#include <cstdint>
#include <optional>
#include <string>
#include "common/base/result.h"
#include "common/config/config.h"
#include "common/wire/messages.h"
#include "worker/train/step_order.h"

namespace dyad::worker {

// Whether a checkpoint is cut after this step; a request to stop cuts besides.
bool is_cut(const config::Checkpoint& rule, const StepPlace& place);

class StepProtocol {
 public:
  // `mode`: "sync" | "ssp" | "async"; everything up to `resumed` is in the rows that were loaded.
  StepProtocol(const config::Train& train, const config::Checkpoint& cuts, Step resumed)
      : train_(train), cuts_(cuts), cut_floor_(resumed) {}

  // The oldest state of the rows that this step may compute on ("Steps are the clock" in docs/architecture.md).
  Step pull_floor(Step step) const;
  bool cuts_after(const StepPlace& place) const { return is_cut(cuts_, place); }
  void cut(Step step) { cut_floor_ = step; }          // pulls after it must see at least what it holds

  // What to ask before a step, if its batch is under no lease yet.
  std::optional<wire::AcquireLease> wants(const StepPlace& place) const;
  // kStale: the coordinator leased other batches than come next; it has lost this rank's place.
  Status leased(const StepPlace& place, const wire::Lease& lease);
  // Counts this rank's samples of a step and the sum of their checksums. What to say if the lease ends with it:
  // its range does, the epoch does, or this rank stops early and completes what it has.
  std::optional<wire::CompleteLease> trained(const StepPlace& place, std::uint64_t samples, std::uint64_t checksum,
                                             bool stops);

 private:
  const config::Train& train_;
  const config::Checkpoint& cuts_;
  Step cut_floor_;
  std::optional<wire::Lease> lease_;
  std::uint64_t count_ = 0, checksum_ = 0;            // of the lease so far
};

}  // namespace dyad::worker
