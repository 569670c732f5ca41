#include "common/net/handshakes.h"

#include <netdb.h>
#include <sys/socket.h>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace dyad::net {

Result<HandshakeEvents> HandshakeEvents::watch(zmq::context_t& context, zmq::socket_t& socket, int events) {
  static std::atomic<std::uint64_t> count{0};
  const std::string name = fmt::format("inproc://handshakes-{}", count++);
  HandshakeEvents made;
  try {
    if (zmq_socket_monitor(socket.handle(), name.c_str(), events) != 0) throw zmq::error_t();
    made.pair_ = zmq::socket_t(context, zmq::socket_type::pair);
    made.pair_.set(zmq::sockopt::linger, 0);
    made.pair_.set(zmq::sockopt::rcvhwm, 0);     // no bound: a full one would stop the thread that moves the bytes
    made.pair_.connect(name);
  } catch (const zmq::error_t& e) {
    const bool full = e.num() == EMFILE || e.num() == ENFILE;
    unwatch(socket);
    return fail(full ? Code::kOverloaded : Code::kFailed, "cannot watch a socket: {}", e.what());
  }
  return made;
}

void HandshakeEvents::unwatch(zmq::socket_t& socket) { (void)zmq_socket_monitor(socket.handle(), nullptr, 0); }

// | event u16 | value u32 |, and a part with the address, which is not needed
std::optional<HandshakeEvents::Event> HandshakeEvents::next() {
  zmq::message_t part, address;
  if (!pair_.recv(part, zmq::recv_flags::dontwait)) return std::nullopt;
  if (part.more()) (void)pair_.recv(address);
  std::uint16_t what = 0;
  Event event;
  if (part.size() != sizeof what + sizeof event.value) return event;
  std::memcpy(&what, part.data(), sizeof what);
  std::memcpy(&event.value, part.data<std::byte>() + sizeof what, sizeof event.value);
  event.what = what;
  return event;
}

std::string refusal_text(const HandshakeEvents::Event& event) {
  if (event.what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return "its key is not allowed";
  if (event.what == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) return "it did not show the job's key";
  if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) return "its key is not the job's";
  if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) return "it came without the job's key";
  return "it speaks another protocol";
}

std::string peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST], port[NI_MAXSERV];
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  const bool open = ::getpeername(descriptor, raw, &size) == 0;
  if (open && address.ss_family == AF_UNIX) return "";
  if (!open ||
      ::getnameinfo(raw, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return kUnknownPeer;
  return fmt::format("{}:{}", host, port);
}

}  // namespace dyad::net
