#pragma once
// One server as a row client sees it: its connection and the requests that it has not answered yet, which go out again
// until it does. Threads: one owner.
#include <cstdint>
#include <deque>
#include <functional>
#include "common/net/socket.h"
#include "common/wire/messages.h"

namespace dyad::worker {

struct LinkOptions {
  ServerId server;
  Incarnation incarnation;                       // of the server that we were routed to
  net::ConnectOptions connect;
  std::uint32_t timeout_ms = 60000, resend_ms = 2000;
  RunId run;                                     // ours; the server's answers must be of it
};
struct LinkReply {
  std::uint64_t number = 0;
  wire::Body body;
  net::Message frames;                           // header first
};

class ServerLink {
 public:
  static Result<ServerLink> open(net::Context& context, const LinkOptions& options);
  Status send(std::uint64_t number, net::Message message, double now_s);
  // The next answer to a request of ours, which is then done; empty when none has come. kStale when the server is
  // another one than we were routed to, and the server's own error when it refused.
  Result<std::optional<LinkReply>> take(double now_s);
  // Sends again what has waited long enough. kDisconnected, naming the server, when it was silent for too long.
  Status check_time(double now_s);
  std::size_t pending() const { return pending_.size(); }
  std::uint64_t resent() const { return resent_; }
  net::Connection& connection() { return connection_; }

 private:
  struct Pending {
    std::uint64_t number = 0;
    net::Message message;
    double first_s = 0, again_s = 0, interval_s = 0;
    bool repeated = false;                       // sent more than once: may be there twice
  };
  ServerLink(net::Connection connection, const LinkOptions& options)
      : options_(options), connection_(std::move(connection)) {}
  Status transmit(Pending& pending);
  Result<bool> settle(const wire::Envelope& envelope, double now_s);

  LinkOptions options_;
  net::Connection connection_;
  std::deque<Pending> pending_;
  double heard_s_ = 0;
  std::uint64_t resent_ = 0;
};

}  // namespace dyad::worker
