// CURVE keys, the ZAP responder (RFC 27) that lets only listed client keys in, and a line for each that is refused.
#include "common/net/context.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/log_limit.h"
#include "common/net/handshakes.h"

namespace dyad::net {

Result<KeyPair> make_key_pair() {
  char public_key[41], secret_key[41];
  if (zmq_curve_keypair(public_key, secret_key) != 0)
    return fail(Code::kFailed, "cannot make a key pair: {} (is libzmq built with CURVE?)", zmq_strerror(zmq_errno()));
  return KeyPair{public_key, secret_key};
}

constexpr std::size_t kLimitsMax = 256;

struct Context::Authenticator {
  zmq::socket_t socket;
  std::vector<std::string> allowed;
  std::atomic<bool> stop{false};
  std::thread thread;

  struct Watched {
    HandshakeEvents events;
    std::string endpoint;
    std::map<int, std::string> peers = {};                       // of open connections, by descriptor
    std::optional<HandshakeEvents::Event> failed = std::nullopt; // until its connection closes, which comes next
  };
  std::mutex mutex;
  std::vector<Watched> arrived;                                  // under mutex
  std::vector<Watched> watched;                                  // the thread's
  std::map<std::string, LogLimit> limits;                        // by host and reason: who is refused tries again

  ~Authenticator() {
    stop = true;
    if (thread.joinable()) thread.join();
  }

  void run() {   // request: version, request id, domain, address, identity, mechanism, key (32 bytes)
    while (!stop) {
      {
        std::lock_guard lock(mutex);
        std::move(arrived.begin(), arrived.end(), std::back_inserter(watched));
        arrived.clear();
      }
      std::vector<zmq_pollitem_t> items{{socket.handle(), 0, ZMQ_POLLIN, 0}};
      for (Watched& w : watched) items.push_back({w.events.handle(), 0, ZMQ_POLLIN, 0});
      (void)zmq_poll(items.data(), static_cast<int>(items.size()), 100);
      std::erase_if(watched, [this](Watched& w) { return !look(w); });
      std::vector<zmq::message_t> request;
      do {
        zmq::message_t part;
        if (!socket.recv(part, zmq::recv_flags::dontwait)) break;   // the parts of one request arrive together
        request.push_back(std::move(part));
      } while (request.back().more());
      if (!request.empty()) answer(request);
    }
  }

  // At once, while a refused peer's connection is open and has an address. False when its listener is gone.
  bool look(Watched& w) {
    while (const auto event = w.events.next()) {
      const int descriptor = static_cast<int>(event->value);
      if (event->what == ZMQ_EVENT_MONITOR_STOPPED) return false;
      if (event->what == ZMQ_EVENT_ACCEPTED) {
        w.peers[descriptor] = peer_of(descriptor);
      } else if (event->what != ZMQ_EVENT_DISCONNECTED) {
        w.failed = event;
      } else {
        const auto peer = w.peers.find(descriptor);
        if (w.failed) say(w.endpoint, peer == w.peers.end() ? kUnknownPeer : peer->second, refusal_text(*w.failed));
        w.failed.reset();
        if (peer != w.peers.end()) w.peers.erase(peer);
      }
    }
    return true;
  }

  void say(const std::string& endpoint, const std::string& peer, const std::string& why) {
    if (peer.empty()) return;                    // our own user, who looked whether we are here
    if (limits.size() >= kLimitsMax) limits.clear();
    auto& limit = limits.try_emplace(peer.substr(0, peer.rfind(':')) + why, 1).first->second;
    if (const auto more = limit.take()) LOG_WARN("{} refused {}: {}{}", endpoint, peer, why, *more);
  }

  bool is_allowed(std::vector<zmq::message_t>& request) const {
    if (request.size() != 7 || request[5].to_string_view() != "CURVE" || request[6].size() != 32) return false;
    char key[41];
    zmq_z85_encode(key, request[6].data<std::uint8_t>(), 32);
    return std::find(allowed.begin(), allowed.end(), key) != allowed.end();
  }

  void answer(std::vector<zmq::message_t>& request) {
    const bool yes = is_allowed(request);
    const std::string id = request.size() > 1 ? request[1].to_string() : "";
    for (const std::string& part : {std::string("1.0"), id, std::string(yes ? "200" : "400"),
                                    std::string(yes ? "OK" : "key not allowed"), std::string()})
      socket.send(zmq::buffer(part), zmq::send_flags::sndmore);
    socket.send(zmq::message_t(), zmq::send_flags::none);
  }
};

Context::Context(int io_threads) : context_(io_threads) {}
Context::~Context() = default;

Status Context::start_authentication(const std::vector<std::string>& allowed) {
  CHECK(authenticator_ == nullptr);
  try {
    auto made = std::make_unique<Authenticator>();
    made->socket = zmq::socket_t(context_, zmq::socket_type::rep);
    made->socket.set(zmq::sockopt::linger, 0);
    made->socket.bind("inproc://zeromq.zap.01");
    made->allowed = allowed;
    made->thread = std::thread([a = made.get()] { a->run(); });
    authenticator_ = std::move(made);
    return ok();
  } catch (const zmq::error_t& e) {
    return fail(Code::kFailed, "cannot start authentication: {}", e.what());
  }
}

void Context::report_refusals(HandshakeEvents events, const std::string& endpoint) {
  CHECK(authenticates());
  std::lock_guard lock(authenticator_->mutex);
  authenticator_->arrived.push_back({std::move(events), endpoint});
}

}  // namespace dyad::net
