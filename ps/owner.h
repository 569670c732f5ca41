#pragma once
// An owner of rows: a shard, and the one thread that may touch it. Tasks run in the order in which they were given;
// without a thread of its own they run at once, on the caller's (a server with one owner needs no hop). Threads: run()
// and stop() from one thread.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include "ps/shard.h"

namespace dyad::ps {

class Owner {
 public:
  using Task = std::function<void(Shard&)>;
  Owner(std::unique_ptr<Shard> shard, bool threaded);
  ~Owner();
  void run(Task task);
  void stop();                          // after the tasks that were given; run() must not follow
  Shard& shard() { return *shard_; }    // only while no task runs

 private:
  void work();
  std::unique_ptr<Shard> shard_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Task> tasks_;              // bounded by the service: open pulls, bytes of answers and of pushes
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace dyad::ps
