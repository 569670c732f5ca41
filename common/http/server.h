#pragma once
// A small HTTP server for people and Prometheus: GET only, on a thread of its own, so that a slow reader never holds up
// the process's work. Bounds: 8 KiB of header, no body, 3 s to send a request and 10 s to read its
// answer, 64 connections, of which a new one ends the oldest.
// Threads: start and stop one; `answer` runs on the server's thread.
#include <functional>
#include <memory>
#include <string>
#include "common/base/result.h"

namespace dyad::http {

struct Answer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8", body;
};

struct Options {
  std::string endpoint;                                   // "127.0.0.1:8080", "localhost:0", "[::1]:0"; port 0: any
  std::string key;                                        // of the configuration, which its errors name
};

class Server {
 public:
  virtual ~Server() = default;                        // stops
  virtual std::string address() const = 0;                // "http://127.0.0.1:34567", with the port that was chosen
  // kInvalid: the endpoint is malformed, taken, not of this machine or not for this user.
  static Result<std::unique_ptr<Server>> start(const Options& options,
                                               std::function<Answer(const std::string& path)> answer);
};

}  // namespace dyad::http
