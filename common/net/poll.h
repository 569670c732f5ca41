#pragma once
// Waiting for several sockets at once, and waking a thread that does.
#include <cstdint>
#include <span>
#include <vector>
#include "common/base/result.h"

namespace dyad::net {

// Lets any thread wake the one that waits in a Poller. Threads: wake() any, the rest the waiting thread.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  void wake();                       // cheap; many wakes before a clear() count as one
  void clear();                      // the waiting thread, before it looks at what it was woken for
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Threads: one.
class Poller {
 public:
  // Each add returns its index. Borrows.
  template <class Socket> std::size_t add(Socket& socket) { return add_handle(socket.handle()); }
  std::size_t add(Waker& waker);
  // Waits until one is readable, at most timeout_ms (negative: for ever). Whether any is.
  Result<bool> wait(int timeout_ms);
  bool ready(std::size_t index) const { return ready_[index]; }

 private:
  struct Item { void* handle; int fd; };
  std::size_t add_handle(void* handle);
  std::vector<Item> items_;
  std::vector<bool> ready_;
};

}  // namespace dyad::net
