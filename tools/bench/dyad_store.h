#pragma once
// Parameter servers as threads of this process, each with a ZeroMQ context of its own as in a job, and their clients.
#include <filesystem>
#include <memory>
#include <vector>
#include "common/net/socket.h"
#include "ps/server.h"
#include "tools/bench/bench_client.h"

namespace dyad::bench {

struct Transport {
  net::Security security;                                      // empty: plain
  std::filesystem::path folder;                                // of local sockets; empty: by the port
};

class DyadStore {
 public:
  DyadStore(const StoreOptions& options, const Transport& transport);
  ~DyadStore();
  std::unique_ptr<Client> client(std::uint32_t worker) const;  // its steps begin at 1: one a worker

 private:
  StoreOptions options_;
  Transport transport_;
  wire::Partition partition_;
  wire::Routing routing_;
  std::vector<std::unique_ptr<net::Context>> contexts_;
  std::vector<std::unique_ptr<ps::Server>> servers_;
};

}  // namespace dyad::bench
