#pragma once
// A piece of a message: a block of bytes that is handed to or came from a socket. Large frames are never copied on the
// way. Threads: a frame has one owner; share() gives another thread its own reference to the same bytes.
#include <cstddef>
#include <memory>
#include <span>
#include <vector>
#include <zmq.hpp>

namespace dyad::net {

class Frame {
 public:
  Frame() = default;
  explicit Frame(std::size_t bytes) : message_(bytes) {}                     // uninitialised, to be written in place
  explicit Frame(zmq::message_t&& message) : message_(std::move(message)) {}
  static Frame copy(std::span<const std::byte> bytes);
  // Borrows: sends `bytes` where they lie and drops `owner` (on a ZeroMQ thread) when they are no longer needed.
  static Frame keep(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(message_.data()), message_.size()}; }
  std::span<std::byte> writable() { return {static_cast<std::byte*>(message_.data()), message_.size()}; }
  std::size_t size() const { return message_.size(); }
  Frame share();                                                             // the same bytes, reference-counted
  zmq::message_t& raw() { return message_; }

 private:
  mutable zmq::message_t message_;
};

using Message = std::vector<Frame>;
inline std::size_t message_bytes(const Message& message) {
  std::size_t n = 0;
  for (const Frame& f : message) n += f.size();
  return n;
}

}  // namespace dyad::net
