// CURVE keys, and the ZAP responder (RFC 27) that lets only listed client keys in.
#include <algorithm>
#include <atomic>
#include <thread>
#include "common/base/check.h"
#include "common/net/socket.h"

namespace dyad::net {

Result<KeyPair> make_key_pair() {
  char public_key[41], secret_key[41];
  if (zmq_curve_keypair(public_key, secret_key) != 0)
    return fail(Code::kFailed, "cannot make a key pair: {} (is libzmq built with CURVE?)", zmq_strerror(zmq_errno()));
  return KeyPair{public_key, secret_key};
}

struct Context::Authenticator {
  zmq::socket_t socket;
  std::vector<std::string> allowed;
  std::atomic<bool> stop{false};
  std::thread thread;

  ~Authenticator() {
    stop = true;
    if (thread.joinable()) thread.join();
  }

  void run() {   // request: version, request id, domain, address, identity, mechanism, key (32 bytes)
    socket.set(zmq::sockopt::rcvtimeo, 100);
    while (!stop) {
      std::vector<zmq::message_t> request;
      do {
        zmq::message_t part;
        if (!socket.recv(part)) break;
        request.push_back(std::move(part));
      } while (request.back().more());
      if (!request.empty()) answer(request);
    }
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

}  // namespace dyad::net
