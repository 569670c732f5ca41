#include "ops/relay.h"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace dyad::ops {

Result<Relay> Relay::open() {
  std::fflush(stdout);
  std::array<int, 2> ends{};
  Relay relay;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Code::kFailed, "pipe: {}", std::strerror(errno));
  relay.read_ = ends[0];
  fcntl(relay.read_, F_SETFL, O_NONBLOCK);
  relay.own_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
  return relay;
}

Relay::Relay(Relay&& other) noexcept : read_(std::exchange(other.read_, -1)), own_(std::exchange(other.own_, -1)) {}

Relay::~Relay() {
  started();
  if (read_ >= 0) ::close(read_);
}

void Relay::started() {
  if (own_ < 0) return;
  dup2(own_, STDOUT_FILENO);
  ::close(std::exchange(own_, -1));
}

void Relay::pass_on() {
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = ::read(read_, piece.data(), piece.size())) > 0;)
    std::fwrite(piece.data(), 1, static_cast<std::size_t>(n), stdout);
  std::fflush(stdout);
}

}  // namespace dyad::ops
