#pragma once
// The wiring around the Coordinator: the control port, the journal, the HTTP page, the clock. Holds no decision of its
// own. Threads: run() is one; the HTTP server has another and sees copies only.
#include <atomic>
#include <filesystem>
#include <string>
#include "common/net/socket.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/journal/journal.h"

namespace dyad::coordinator {

struct ServerOptions {
  std::string bind = "tcp://127.0.0.1:*", http = "127.0.0.1:0";
  std::filesystem::path job_dir;                   // gets coordinator.json while the server runs
  net::Security security;
  bool trusted_network = false;                    // the control port may be plain and public
};

// Serves until the job is over (ok), it failed (kFailed with the reason), or `stop` is set (ok).
Status serve(const ServerOptions& options, Coordinator& coordinator, Journal& journal, const std::atomic<bool>& stop);

}  // namespace dyad::coordinator
