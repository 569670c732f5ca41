#pragma once
// Ask and wait: one request at a time over a Connection, sent again until it is answered or the time is up. A late
// answer is no reason to connect anew: a listener that has many at its door would let us in last. For
// idempotent requests (every message to the coordinator is). Knows no schema: the caller says which message is the
// answer. Threads: one owner.
#include <functional>
#include <string>
#include "common/base/clock.h"
#include "common/net/socket.h"

namespace dyad::net {

struct AskOptions {
  int timeout_ms = 10000;                        // in all
  int resend_ms = 2000;                          // without an answer the request goes out again
};

class RequestClient {
 public:
  RequestClient(Context& context, ConnectOptions options) : context_(context), options_(std::move(options)) {}
  // The first message that `is_answer` accepts; others are late answers to earlier requests and are dropped.
  // Fails with kDisconnected, naming the endpoint, after timeout_ms.
  Result<Message> ask(Message request, const std::function<bool(const Message&)>& is_answer, const AskOptions& options);
  const std::string& endpoint() const { return options_.endpoint; }

 private:
  Status connect(Millis now);
  Context& context_;
  ConnectOptions options_;
  std::optional<Connection> connection_;
  Millis silent_since_ms_ = 0;                   // the first request without an answer since the last one; 0: none
};

}  // namespace dyad::net
