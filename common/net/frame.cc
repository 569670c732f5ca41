#include "common/net/frame.h"

#include <cstring>

namespace dyad::net {

Frame Frame::copy(std::span<const std::byte> bytes) {
  Frame frame(bytes.size());
  if (!bytes.empty()) std::memcpy(frame.message_.data(), bytes.data(), bytes.size());
  return frame;
}

Frame Frame::keep(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return Frame(0);
  auto* held = new std::shared_ptr<const void>(std::move(owner));
  const auto release = [](void*, void* hint) { delete static_cast<std::shared_ptr<const void>*>(hint); };
  return Frame(zmq::message_t(const_cast<std::byte*>(bytes.data()), bytes.size(), release, held));
}

Frame Frame::share() {
  Frame other;
  other.message_.copy(message_);
  return other;
}

}  // namespace dyad::net
