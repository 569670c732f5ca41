#include "common/net/socket.h"

#include <cerrno>
#include <cstdint>
#include "common/base/log.h"
#include "common/net/endpoint.h"
#include "common/net/local_socket.h"

namespace dyad::net {
namespace {

constexpr int kRefusals =
    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

// Callers read keys in place and need 8-byte alignment. A frame that is a slice of ZeroMQ's receive buffer (the small
// ones) lies at any address and is copied then.
Frame aligned(zmq::message_t&& part) {
  if (reinterpret_cast<std::uintptr_t>(part.data()) % 8 == 0) return Frame(std::move(part));
  return Frame::copy({static_cast<const std::byte*>(part.data()), part.size()});
}

bool wait_readable(zmq::socket_t& socket, int timeout_ms) {
  zmq_pollitem_t item{socket.handle(), -1, ZMQ_POLLIN, 0};
  return timeout_ms == 0 || zmq_poll(&item, 1, timeout_ms) > 0;
}

// Reads one message's frames; false when nothing came in time.
bool recv_parts(zmq::socket_t& socket, int timeout_ms, Message& out) {
  if (!wait_readable(socket, timeout_ms)) return false;
  while (true) {
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return false;   // the parts of one message arrive together
    const bool more = part.more();
    out.push_back(aligned(std::move(part)));
    if (!more) return true;
  }
}

// "10.0.0.7" of the peer that sent it.
std::string peer_address(zmq::message_t& part) {
  const char* address = zmq_msg_gets(part.handle(), "Peer-Address");
  return address == nullptr ? kUnknownPeer : address;
}

bool send_parts(zmq::socket_t& socket, Message& message) {
  for (std::size_t i = 0; i < message.size(); ++i) {
    auto flags = zmq::send_flags::dontwait;
    if (i + 1 < message.size()) flags = flags | zmq::send_flags::sndmore;
    if (!socket.send(message[i].raw(), flags)) return false;   // only ever the first: a message is queued whole
  }
  return true;
}

Status check_endpoint(const Endpoint& endpoint, const ListenOptions& options) {
  if (endpoint.loopback || options.security.enabled() || options.allow_unauthenticated) return ok();
  return fail(Code::kInvalid,
              "refuses to listen on {} without authentication: set security.key_file (`dyad key FILE` makes one), bind "
              "to 127.0.0.1, or set security.trusted_network = true",
              options.endpoint);
}

template <class Options> void set_limits(zmq::socket_t& socket, const Options& options, const Endpoint& endpoint) {
  socket.set(zmq::sockopt::sndhwm, options.messages_max);
  socket.set(zmq::sockopt::rcvhwm, options.messages_max);
  socket.set(zmq::sockopt::maxmsgsize, options.frame_bytes_max);
  socket.set(zmq::sockopt::linger, options.linger_ms);
  socket.set(zmq::sockopt::ipv6, endpoint.ipv6);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
}

Error bind_error(const ListenOptions& options, int error) {
  const std::string what =
      options.key.empty() ? options.endpoint : fmt::format("{} = \"{}\"", options.key, options.endpoint);
  if (error == EADDRINUSE)
    return fail(Code::kInvalid, "{}: another process listens there; choose another port, or * for any free one (two "
                "processes of one machine cannot share a port)", what);
  if (error == EADDRNOTAVAIL || error == ENODEV)
    return fail(Code::kInvalid, "{}: no address of this machine", what);
  if (error == EACCES)
    return fail(Code::kInvalid, "{}: this user may not listen there; choose a port above 1023", what);
  return fail(error == EMFILE || error == ENFILE ? Code::kOverloaded : Code::kFailed, "cannot listen on {}: {}", what,
              zmq_strerror(error));
}

}  // namespace

Result<Listener> Listener::bind(Context& context, const ListenOptions& options) {
  DYAD_TRY(endpoint, listen_endpoint(options.endpoint));
  DYAD_TRYV(check_endpoint(endpoint, options));
  const bool keyed = options.security.enabled();
  if (keyed && !context.authenticates())         // ZeroMQ would let every key in
    return fail(Code::kInvalid, "listening on {} with keys: call start_authentication first", options.endpoint);
  std::optional<HandshakeEvents> watched;
  Listener listener;
  listener.message_bytes_max_ = options.message_bytes_max;
  listener.parts_max_ = options.parts_max;
  listener.dropped_ = std::make_unique<LogLimit>();
  try {
    listener.socket_ = zmq::socket_t(context.raw(), zmq::socket_type::router);
    zmq::socket_t& s = listener.socket_;
    set_limits(s, options, endpoint);
    s.set(zmq::sockopt::handshake_ivl, options.handshake_ms);
    s.set(zmq::sockopt::router_mandatory, true);   // a reply to nobody is an error, not silence
    if (keyed) {
      s.set(zmq::sockopt::curve_server, true);
      s.set(zmq::sockopt::curve_secretkey, options.security.own.secret_key);
      DYAD_TRY(events, HandshakeEvents::watch(context.raw(), s, kRefusals | ZMQ_EVENT_ACCEPTED |
                                              ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED));
      watched.emplace(std::move(events));
    }
    s.bind(endpoint.text);
    listener.endpoint_ = announced_endpoint(s.get(zmq::sockopt::last_endpoint));
    if (watched) context.report_refusals(std::move(*watched), listener.endpoint_);
    if (keyed && !options.local.empty()) listener.bind_local(options.local);
  } catch (const zmq::error_t& e) {
    return bind_error(options, e.num());
  }
  return listener;
}

// An endpoint keeps the options that were set when it was bound: this one asks for no key (nor has the socket a ZAP
// domain, which would make it ask). Where it cannot be, peers
// come by the port.
void Listener::bind_local(const std::filesystem::path& path) {
  Status bound = prepare_local(path);
  try {
    socket_.set(zmq::sockopt::curve_server, false);
    if (bound) socket_.bind("ipc://" + path.string());
  } catch (const zmq::error_t& e) {
    bound = fail(Code::kFailed, "{}: {}", path.string(), e.what());
  }
  if (!bound) LOG_INFO("no local socket, processes of this machine use the port as well: {}", bound.error().message);
}

Listener::~Listener() { HandshakeEvents::unwatch(socket_); }

// The parts of one message, the peer's id first. What is over the bounds is let go part by part; false then, too.
bool Listener::recv_bounded(int timeout_ms, Message& out) {
  if (!wait_readable(socket_, timeout_ms)) return false;
  std::int64_t bytes = 0;
  std::size_t parts = 0;
  while (true) {
    zmq::message_t part;
    if (!socket_.recv(part, zmq::recv_flags::dontwait)) return false;
    const bool more = part.more();
    bytes += static_cast<std::int64_t>(part.size());
    const bool within = ++parts <= parts_max_ + 1 && bytes <= message_bytes_max_;   // once over, it stays over
    if (within) out.push_back(aligned(std::move(part)));
    else out.clear();
    if (more) continue;
    if (within) return true;
    if (const auto rest = dropped_->take())
      LOG_WARN("{}: dropped a message of {} parts, {} bytes in all, from {}: at most {} parts and {} bytes are taken{}",
               endpoint_, parts - 1, bytes, peer_address(part), parts_max_, message_bytes_max_, *rest);
    return false;
  }
}

Result<std::optional<Incoming>> Listener::recv(int timeout_ms) {
  try {
    Message parts;
    if (!recv_bounded(timeout_ms, parts)) return std::optional<Incoming>{};
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
  const bool local = options.security.enabled() && is_local_listener(options.local);
  DYAD_TRY(endpoint, connect_endpoint(local ? "ipc://" + options.local.string() : options.endpoint));
  Connection connection;
  connection.endpoint_ = options.endpoint;
  try {
    connection.socket_ = zmq::socket_t(context.raw(), zmq::socket_type::dealer);
    zmq::socket_t& s = connection.socket_;
    set_limits(s, options, endpoint);
    s.set(zmq::sockopt::reconnect_ivl, options.reconnect_ms);
    s.set(zmq::sockopt::reconnect_ivl_max, options.reconnect_ms_max);
    if (options.security.enabled() && !local) {
      s.set(zmq::sockopt::curve_serverkey, options.security.server_public_key);
      s.set(zmq::sockopt::curve_publickey, options.security.own.public_key);
      s.set(zmq::sockopt::curve_secretkey, options.security.own.secret_key);
    }
    DYAD_TRY(events, HandshakeEvents::watch(context.raw(), s, kRefusals | ZMQ_EVENT_HANDSHAKE_SUCCEEDED));
    connection.events_.emplace(std::move(events));
    s.connect(endpoint.text);
  } catch (const zmq::error_t& e) {
    const bool overloaded = e.num() == EMFILE || e.num() == ENFILE;
    return fail(overloaded ? Code::kOverloaded : Code::kInvalid, "cannot connect to {}: {}", options.endpoint,
                e.what());
  }
  return connection;
}

Connection::~Connection() { HandshakeEvents::unwatch(socket_); }

std::string Connection::refusal() {
  while (const auto event = events_->next()) {
    const bool closed_on_us = event->value == EPIPE || event->value == ECONNRESET;   // else only slow, or stopped
    if (event->what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) refused_ = false;
    else if (event->what != ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || closed_on_us) refused_ = true;
  }
  if (!refused_) return "";
  return " (something listens there and refuses us: our key is not the job's, or one of us has none; see "
         "security.key_file)";
}

Status Connection::send(Message message) {
  try {
    if (send_parts(socket_, message)) return ok();
    if (const std::string why = refusal(); !why.empty())
      return fail(Code::kDisconnected, "no way to {}{}", endpoint_, why);
    return fail(Code::kOverloaded, "{} does not read: the queue of messages to it is full", endpoint_);
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
