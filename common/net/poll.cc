#include "common/net/poll.h"

#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>
#include "common/base/check.h"

namespace dyad::net {

Waker::Waker() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK_GE(fd_, 0); }
Waker::~Waker() { ::close(fd_); }
void Waker::wake() {
  const std::uint64_t one = 1;
  while (::write(fd_, &one, sizeof one) < 0 && errno == EINTR) {}   // EAGAIN: already awake
}
void Waker::clear() {
  std::uint64_t count;
  while (::read(fd_, &count, sizeof count) < 0 && errno == EINTR) {}
}

std::size_t Poller::add(Waker& waker) {
  items_.push_back({nullptr, waker.fd()});
  ready_.push_back(false);
  return items_.size() - 1;
}
std::size_t Poller::add_handle(void* handle) {
  items_.push_back({handle, -1});
  ready_.push_back(false);
  return items_.size() - 1;
}

Result<bool> Poller::wait(int timeout_ms) {
  std::vector<zmq_pollitem_t> polled;
  for (const Item& item : items_) polled.push_back({item.handle, item.fd, ZMQ_POLLIN, 0});
  const int n = zmq_poll(polled.data(), static_cast<int>(polled.size()), timeout_ms);
  if (n < 0 && zmq_errno() != EINTR) return fail(Code::kFailed, "poll: {}", zmq_strerror(zmq_errno()));
  for (std::size_t i = 0; i < polled.size(); ++i) ready_[i] = n > 0 && (polled[i].revents & ZMQ_POLLIN) != 0;
  return n > 0;
}

}  // namespace dyad::net
