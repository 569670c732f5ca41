#pragma once
// What became of a socket's handshakes, as ZeroMQ tells by its socket monitor. Without it a peer that is refused leaves
// no line on either side. Threads: the one that owns the object; it is given away with a fence.
#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>
#include "common/base/result.h"

namespace dyad::net {

class HandshakeEvents {
 public:
  struct Event {
    int what = 0;                  // ZMQ_EVENT_*
    std::uint32_t value = 0;       // the file descriptor, the error or the status, by `what`
  };
  // Begins to watch; `socket` stops being watched by unwatch().
  static Result<HandshakeEvents> watch(zmq::context_t& context, zmq::socket_t& socket, int events);
  static void unwatch(zmq::socket_t& socket);   // before either is closed: an event would wait for its reader
  std::optional<Event> next();                  // never waits
  void* handle() { return pair_.handle(); }

 private:
  zmq::socket_t pair_;
};

inline constexpr const char* kUnknownPeer = "an unknown peer";
std::string refusal_text(const HandshakeEvents::Event& event);   // why a listener with a key refused
// "10.0.0.7:41234" of an accepted connection, "" of our own user by a local socket; kUnknownPeer when it has closed.
std::string peer_of(int descriptor);

}  // namespace dyad::net
