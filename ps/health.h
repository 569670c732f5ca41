#pragma once
// The health port of a server: /healthz, /readyz, /metrics, for probes and for Prometheus when the coordinator is away.
// Threads: one; the pages are answered on the HTTP server's thread.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include "common/http/server.h"
#include "ps/server.h"

namespace dyad::ps {

// /healthz: 503 when the socket thread has not turned for 5 s or has ended. /readyz: 503 until the rows are there.
http::Answer health_page(const std::string& path, Server& server, ServerId id);

class Health {
 public:
  // Borrows the server. `endpoint`: servers.http.
  static Result<std::unique_ptr<Health>> start(const std::string& endpoint, Server& server, ServerId id);
  ~Health();                                     // removes its file, not that of a successor
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  std::string address() const { return http_->address(); }
  // Says in <job.dir>/servers/ps-N.json where it is.
  Status publish(const std::filesystem::path& job_dir, const Server& server, ServerId id);

 private:
  explicit Health(std::unique_ptr<http::Server> http) : http_(std::move(http)) {}
  std::unique_ptr<http::Server> http_;
  std::filesystem::path file_;
  std::uint64_t inode_ = 0;                      // of our file: a name may be a successor's by now
};

}  // namespace dyad::ps
