#pragma once
// The worker's view of the parameter servers: pulls and pushes rows of any tables in one round trip per server.
// Routes each key by bucket, splits by server, and puts the answers in the caller's order. Keys come once each and are
// of the catalogue: a server refuses others, and wants them ascending. Threads: one owner.  Ownership: borrows the
// caller's buffers until wait()/flush().
#include <memory>
#include <span>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/wire/messages.h"

namespace dyad::worker {

struct PullRequest {
  TableId table;
  std::span<const RowKey> keys;
  std::span<float> out;                      // [keys.size(), dim]
  std::span<const std::uint32_t> by_key{};   // indices into keys, as those ascend; empty: they stand so
};
struct PushRequest {
  TableId table;
  std::span<const RowKey> keys;
  std::span<const float> gradient;           // [keys.size(), dim]
  std::span<const std::uint32_t> by_key{};   // as the pull's
};
struct PushOptions {
  Step step;
  float learning_rate = 0;
  bool cut = false;
};
struct RowTraffic {                          // since the start
  std::uint64_t pulled_rows = 0, pushed_rows = 0, pulled_bytes = 0, pushed_bytes = 0, resent = 0;
  Step applied;                              // oldest step that a server of the last pull had applied
};

class RowClient {
 public:
  virtual ~RowClient() = default;
  // Sends the pull to every server that holds a key. The spans must live until wait() returns.
  virtual Status start_pull(Step at_least, std::span<const PullRequest> requests) = 0;
  // Blocks until the pull that was started last is complete. Fails with kDisconnected when a server stays silent for
  // the configured time, kStale when it was restarted, and with what RowClientOptions::give_up says, as flush() does.
  virtual Status wait() = 0;
  // Sends every server its part (an empty one too: its clock needs it) and returns without waiting; the gradients may
  // be reused at once. Acknowledgements are gathered by later calls; a push not acknowledged is sent again.
  virtual Status push(std::span<const PushRequest> requests, const PushOptions& options) = 0;
  virtual Status flush() = 0;                // waits for all acknowledgements
  virtual RowTraffic traffic() const = 0;
};

}  // namespace dyad::worker
