#pragma once
// Moves messages of frames between processes by ZeroMQ: a Listener answers many peers, a Connection speaks to one
// Listener and reconnects by itself (what was in flight then is lost; the caller re-sends). Knows no schema. Threads:
// each socket belongs to one thread at a time; a Context may be shared. Received frames are 8-byte aligned.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include "common/base/log_limit.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/frame.h"

namespace dyad::net {

struct ListenOptions {
  std::string endpoint = "tcp://127.0.0.1:*";   // *: any free port
  int messages_max = 4096;  // high-water mark per peer, each way; beyond it sending fails with kOverloaded
  std::int64_t frame_bytes_max = 1ll << 30;     // a peer that announces a longer frame is cut off
  // A message of more is dropped, with a line. While it arrives ZeroMQ holds it: peers have the job's key.
  std::int64_t message_bytes_max = 1ll << 31;
  std::size_t parts_max = 64;
  int handshake_ms = 2500;                      // a connection that has not shown its key by then is closed
  int linger_ms = 1000;                         // unsent replies are given this long at the end
  Security security;
  bool allow_unauthenticated = false;           // plain on a public address: only where the network itself is trusted
  std::string key;                              // the configuration's, for errors: "servers.bind"
  std::filesystem::path local;                  // with Security: here too, in plain, for our user (local_socket.h)
};

using Peer = std::string;                       // routing id, opaque; valid while the peer stays connected

struct Incoming {
  Peer peer;
  Message message;
};

class Listener {
 public:
  // kInvalid for an address that is malformed, taken, of another machine, or public without authentication.
  static Result<Listener> bind(Context& context, const ListenOptions& options);
  // Where others reach it: with the port that was chosen, and this host's name where it listens on every address.
  const std::string& endpoint() const { return endpoint_; }
  // Waits at most timeout_ms (0: does not wait, negative: for ever); empty when nothing came.
  Result<std::optional<Incoming>> recv(int timeout_ms);
  // Never waits. kDisconnected when the peer is gone, kOverloaded when it does not read.
  Status send(const Peer& peer, Message message);
  void* handle() { return socket_.handle(); }
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

 private:
  Listener() = default;
  void bind_local(const std::filesystem::path& path);
  bool recv_bounded(int timeout_ms, Message& out);
  zmq::socket_t socket_;
  std::string endpoint_;
  std::int64_t message_bytes_max_ = 0;
  std::size_t parts_max_ = 0;
  std::unique_ptr<LogLimit> dropped_;
};

struct ConnectOptions {
  std::string endpoint;                         // tcp://host:port
  int messages_max = 4096;
  std::int64_t frame_bytes_max = 1ll << 30;
  int linger_ms = 1000;
  int reconnect_ms = 100, reconnect_ms_max = 2000;
  Security security;
  std::filesystem::path local;                  // where the listener's may be: taken if it listens there now
};

class Connection {
 public:
  // Does not wait for the peer: messages are queued until it is there.
  static Result<Connection> open(Context& context, const ConnectOptions& options);
  const std::string& endpoint() const { return endpoint_; }
  Status send(Message message);                 // never waits; kOverloaded when messages_max are queued
  Result<std::optional<Message>> recv(int timeout_ms);
  // For errors about silence: " (...)" with the reason when the peer is there and refuses us, else empty.
  std::string refusal();
  void* handle() { return socket_.handle(); }
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

 private:
  Connection() = default;
  zmq::socket_t socket_;
  std::string endpoint_;
  std::optional<HandshakeEvents> events_;       // destroyed before the socket
  bool refused_ = false;
};

}  // namespace dyad::net
