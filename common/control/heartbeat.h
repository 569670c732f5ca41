#pragma once
// A thread of its own that tells the coordinator how this process is, and keeps what it was told to do.
// Threads: set_* and command() from any; start() after register_.
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include "common/base/clock.h"
#include "common/control/client.h"

namespace dyad::control {

class HeartbeatThread {
 public:
  // `options`: of the registered client, its incarnation included. The first beat goes out at once.
  static Result<std::unique_ptr<HeartbeatThread>> start(ClientOptions options, int heartbeat_ms);
  ~HeartbeatThread();                                   // stops; waits at most one attempt
  HeartbeatThread(const HeartbeatThread&) = delete;
  HeartbeatThread& operator=(const HeartbeatThread&) = delete;

  void set_state(const std::string& state);             // "starting", "ready", "training", "done"; sent at once
  void set_step(Step step);
  void set_metric(const std::string& name, double value);
  void set_metrics(const std::map<std::string, double>& values);   // others stay
  // The last command; kRestart and kStop stay. An answer of kStale (somebody took our place) counts as kRestart.
  wire::Command command() const { return command_.load(std::memory_order_acquire); }
  Status heard() const;                                 // kStale after kRestart: what to leave with, from every wait
  Millis silent_ms() const;                             // since the coordinator answered last

 private:
  HeartbeatThread(std::unique_ptr<ControlClient> client, int heartbeat_ms);
  void run();
  void beat(const wire::Heartbeat& message);
  const std::unique_ptr<ControlClient> client_;         // used by the thread alone
  const int heartbeat_ms_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  wire::Heartbeat slot_;
  bool stop_ = false, changed_ = true;
  std::atomic<wire::Command> command_{wire::Command::kNone};
  std::atomic<Millis> answered_ms_;
  std::thread thread_;
};

// ControlClient::wait_routing that hears `heartbeat` too (its kStale), and looks every second at `stop`, if there is
// one: a process that waits for a server of another generation than its own would wait for ever.
Result<wire::Routing> wait_routing(ControlClient& control, const HeartbeatThread& heartbeat, int timeout_ms,
                                   const std::atomic<bool>* stop = nullptr);
// For a server, which knows no model: the routing, once a worker has registered and said the tables. A worker may read
// its data for long before that, so this has no bound but the coordinator's silence for timeout_ms. A routing without
// tables: `stop` was set.
Result<wire::Routing> wait_tables(ControlClient& control, const HeartbeatThread& heartbeat, int timeout_ms,
                                  const std::atomic<bool>& stop);

}  // namespace dyad::control
