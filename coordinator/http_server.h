#pragma once
// A small HTTP server for people and Prometheus: GET only, on a thread of its own, so that a slow reader never holds up
// the control port. Bounds: 8 KiB of header, no body, 10 s an exchange, 64 connections.
// Threads: start and stop one; `answer` runs on the server's thread.
#include <functional>
#include <memory>
#include <string>
#include "common/base/result.h"

namespace dyad::coordinator {

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8", body;
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;                        // stops
  virtual std::string address() const = 0;                // "http://127.0.0.1:34567", with the port that was chosen
  // `endpoint`: "127.0.0.1:0", 0 for any free port. kInvalid: malformed; kFailed: taken.
  static Result<std::unique_ptr<HttpServer>> start(const std::string& endpoint,
                                                   std::function<HttpAnswer(const std::string& path)> answer);
};

}  // namespace dyad::coordinator
