#include "ps/owner.h"

namespace dyad::ps {

Owner::Owner(std::unique_ptr<Shard> shard, bool threaded) : shard_(std::move(shard)) {
  if (threaded) thread_ = std::thread([this] { work(); });
}
Owner::~Owner() { stop(); }

void Owner::run(Task task) {
  if (!thread_.joinable()) return task(*shard_);
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  more_.notify_one();
}

void Owner::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void Owner::work() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task(*shard_);
  }
}

}  // namespace dyad::ps
