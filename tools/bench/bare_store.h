#pragma once
// The ceiling: messages of the sizes that a pull and a push have, through ZeroMQ and nothing else. A server answers a
// pull with one buffer again and again and drops a push; a client makes its frames of one buffer, too.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>
#include "common/net/socket.h"
#include "tools/bench/bench_client.h"

namespace dyad::bench {

class BareStore {
 public:
  explicit BareStore(const StoreOptions& options);
  ~BareStore();
  std::unique_ptr<Client> client() const;

 private:
  void serve(net::Listener& listener) const;
  StoreOptions options_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<net::Context>> contexts_;
  std::vector<net::Listener> listeners_;
  std::vector<std::thread> threads_;
};

}  // namespace dyad::bench
