#pragma once
// The RowClient over ZeroMQ.
#include <filesystem>
#include <functional>
#include <memory>
#include "common/net/socket.h"
#include "common/wire/routing.h"
#include "common/wire/sections.h"
#include "worker/rows/row_client.h"

namespace dyad::worker {

struct RowClientOptions {
  WorkerRank rank;
  Incarnation incarnation;                       // as the coordinator registered it
  wire::Partition partition;                     // servers.buckets, servers.groups
  wire::ValueType values = wire::ValueType::kFp32;   // rows.wire
  std::uint32_t timeout_ms = 60000;              // servers.timeout_ms: a server silent for this long is gone
  std::uint32_t resend_ms = 2000;  // an unanswered request goes out again; doubled each time up to eight-fold
  std::uint32_t unacknowledged_max = 4;          // pushes in flight per server; the next one waits
  net::Security security;
  RunId run;                                     // that the rank registered in
  std::filesystem::path job_dir;                 // where servers of this machine have their local sockets; empty: none
  std::function<Status()> give_up;               // asked by every wait, which ends with its error; empty: never
};

// Borrows the context. kInvalid when routing and partition disagree.
Result<std::unique_ptr<RowClient>> make_row_client(net::Context& context, const RowClientOptions& options,
                                                   const wire::Routing& routing);

}  // namespace dyad::worker
