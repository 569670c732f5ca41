#include "common/net/socket.h"

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <unistd.h>

namespace dyad::net {
namespace {

// Small frames are slices of ZeroMQ's receive buffer at any address; callers read keys in place and need 8-byte
// alignment.
Frame aligned(zmq::message_t&& part) {
  if (reinterpret_cast<std::uintptr_t>(part.data()) % 8 == 0) return Frame(std::move(part));
  return Frame::copy({static_cast<const std::byte*>(part.data()), part.size()});
}

// Reads one message's frames; false when nothing came in time.
bool recv_parts(zmq::socket_t& socket, int timeout_ms, Message& out) {
  if (timeout_ms != 0) {
    zmq_pollitem_t item{socket.handle(), -1, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, timeout_ms) <= 0) return false;
  }
  while (true) {
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return false;   // the parts of one message arrive together
    const bool more = part.more();
    out.push_back(aligned(std::move(part)));
    if (!more) return true;
  }
}

bool send_parts(zmq::socket_t& socket, Message& message) {
  for (std::size_t i = 0; i < message.size(); ++i) {
    auto flags = zmq::send_flags::dontwait;
    if (i + 1 < message.size()) flags = flags | zmq::send_flags::sndmore;
    if (!socket.send(message[i].raw(), flags)) return false;   // only ever the first: a message is queued whole
  }
  return true;
}

bool is_loopback(const std::string& endpoint) {
  for (const char* prefix : {"tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://", "inproc://"})
    if (endpoint.starts_with(prefix)) return true;
  return false;
}

Status check_endpoint(const ListenOptions& options) {
  if (is_loopback(options.endpoint) || options.security.enabled() || options.allow_unauthenticated) return ok();
  return fail(Code::kInvalid,
              "refuses to listen on {} without authentication: set security.key_file (`dyad key FILE` makes one), bind "
              "to 127.0.0.1, or set security.trusted_network = true",
              options.endpoint);
}

// "tcp://0.0.0.0:7000" is no address for others; the host's name is.
std::string reachable(std::string endpoint) {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return endpoint;
  for (const std::string_view any : {"tcp://0.0.0.0:", "tcp://[::]:"})
    if (endpoint.starts_with(any)) return "tcp://" + std::string(name) + ":" + endpoint.substr(any.size());
  return endpoint;
}

void set_limits(zmq::socket_t& socket, int messages_max, std::int64_t bytes_max, int linger_ms) {
  socket.set(zmq::sockopt::sndhwm, messages_max);
  socket.set(zmq::sockopt::rcvhwm, messages_max);
  socket.set(zmq::sockopt::maxmsgsize, bytes_max);
  socket.set(zmq::sockopt::linger, linger_ms);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
}

Error socket_error(const char* what, const std::string& endpoint, const zmq::error_t& e) {
  const bool is_taken = e.num() == EADDRINUSE || e.num() == EADDRNOTAVAIL;     // on the next try, too
  return fail(e.num() == EMFILE ? Code::kFailed : Code::kInvalid, "cannot {} {}: {}{}", what, endpoint, e.what(),
              is_taken ? "; choose another address or port (port * is any free one)" : "");
}

}  // namespace

Result<Listener> Listener::bind(Context& context, const ListenOptions& options) {
  DYAD_TRYV(check_endpoint(options));
  if (options.security.enabled() && !context.authenticates())   // ZeroMQ would let every key in
    return fail(Code::kInvalid, "listening on {} with keys: call start_authentication first", options.endpoint);
  Listener listener;
  try {
    listener.socket_ = zmq::socket_t(context.raw(), zmq::socket_type::router);
    zmq::socket_t& s = listener.socket_;
    set_limits(s, options.messages_max, options.message_bytes_max, options.linger_ms);
    s.set(zmq::sockopt::router_mandatory, true);   // a reply to nobody is an error, not silence
    if (options.security.enabled()) {
      s.set(zmq::sockopt::curve_server, true);
      s.set(zmq::sockopt::curve_secretkey, options.security.own.secret_key);
      s.set(zmq::sockopt::zap_domain, "dyad");
    }
    s.bind(options.endpoint);
    listener.endpoint_ = reachable(s.get(zmq::sockopt::last_endpoint));
  } catch (const zmq::error_t& e) {
    return socket_error("listen on", options.endpoint, e);
  }
  return listener;
}

Result<std::optional<Incoming>> Listener::recv(int timeout_ms) {
  try {
    Message parts;
    if (!recv_parts(socket_, timeout_ms, parts)) return std::optional<Incoming>{};
    const auto id = parts.front().bytes();
    Incoming incoming{Peer(reinterpret_cast<const char*>(id.data()), id.size()), {}};
    incoming.message.assign(std::make_move_iterator(parts.begin() + 1), std::make_move_iterator(parts.end()));
    return std::optional<Incoming>(std::move(incoming));
  } catch (const zmq::error_t& e) {
    return fail(Code::kFailed, "receive on {}: {}", endpoint_, e.what());
  }
}

Status Listener::send(const Peer& peer, Message message) {
  try {
    message.insert(message.begin(), Frame::copy(std::as_bytes(std::span(peer.data(), peer.size()))));
    if (!send_parts(socket_, message))
      return fail(Code::kOverloaded, "a peer of {} does not read its replies", endpoint_);
    return ok();
  } catch (const zmq::error_t& e) {
    if (e.num() == EHOSTUNREACH) return fail(Code::kDisconnected, "a peer of {} is gone", endpoint_);
    return fail(Code::kFailed, "send on {}: {}", endpoint_, e.what());
  }
}

Result<Connection> Connection::open(Context& context, const ConnectOptions& options) {
  Connection connection;
  connection.endpoint_ = options.endpoint;
  try {
    connection.socket_ = zmq::socket_t(context.raw(), zmq::socket_type::dealer);
    zmq::socket_t& s = connection.socket_;
    set_limits(s, options.messages_max, options.message_bytes_max, options.linger_ms);
    s.set(zmq::sockopt::reconnect_ivl, options.reconnect_ms);
    s.set(zmq::sockopt::reconnect_ivl_max, options.reconnect_ms_max);
    if (options.security.enabled()) {
      s.set(zmq::sockopt::curve_serverkey, options.security.server_public_key);
      s.set(zmq::sockopt::curve_publickey, options.security.own.public_key);
      s.set(zmq::sockopt::curve_secretkey, options.security.own.secret_key);
    }
    s.connect(options.endpoint);
  } catch (const zmq::error_t& e) {
    return socket_error("connect to", options.endpoint, e);
  }
  return connection;
}

Status Connection::send(Message message) {
  try {
    if (!send_parts(socket_, message))
      return fail(Code::kOverloaded, "{} does not read: the queue of messages to it is full", endpoint_);
    return ok();
  } catch (const zmq::error_t& e) {
    return fail(Code::kFailed, "send to {}: {}", endpoint_, e.what());
  }
}

Result<std::optional<Message>> Connection::recv(int timeout_ms) {
  try {
    Message parts;
    if (!recv_parts(socket_, timeout_ms, parts)) return std::optional<Message>{};
    return std::optional<Message>(std::move(parts));
  } catch (const zmq::error_t& e) {
    return fail(Code::kFailed, "receive from {}: {}", endpoint_, e.what());
  }
}

}  // namespace dyad::net
