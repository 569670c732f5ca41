#pragma once
// What sockets share: ZeroMQ's threads, and who may connect. Threads: a Context may be shared.
#include <memory>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/net/frame.h"
#include "common/net/handshakes.h"

namespace dyad::net {

// CURVE: Z85 keys of 40 characters. A Listener has a pair of its own, and lets in the keys that its context allows
// (start_authentication); a Connection has a pair of its own and knows the listener's public key. Empty: no
// authentication.
struct KeyPair { std::string public_key, secret_key; };
Result<KeyPair> make_key_pair();
struct Security {
  KeyPair own;                            // empty: plain
  std::string server_public_key;          // for a Connection: whom to expect
  bool enabled() const { return !own.public_key.empty(); }
};

class Context {                           // owns ZeroMQ's I/O threads; outlives its sockets
 public:
  explicit Context(int io_threads = 1);
  ~Context();
  zmq::context_t& raw() { return context_; }
  // Starts the thread that answers "may this key connect?" (ZAP, RFC 27); once per context, before listening with
  // Security.
  Status start_authentication(const std::vector<std::string>& allowed);
  bool authenticates() const { return authenticator_ != nullptr; }
  // A line, rate-limited, for each peer that a listener refuses. REQUIRES: authenticates().
  void report_refusals(HandshakeEvents events, const std::string& endpoint);

 private:
  struct Authenticator;
  zmq::context_t context_;
  std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace dyad::net
