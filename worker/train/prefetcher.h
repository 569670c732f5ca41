#pragma once
// Makes the next values while the caller works on the last: a producer thread and a bounded queue. What comes out is
// what the producer function gives, in order; nothing depends on timing. Threads: one consumer.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace dyad::worker {

template <class T> class Prefetcher {
 public:
  // `produce` gives the next value, or nothing at the end; it runs on the producer thread.
  Prefetcher(std::function<std::optional<T>()> produce, std::size_t depth)
      : produce_(std::move(produce)), depth_(depth), thread_([this] { run(); }) {}
  ~Prefetcher() {
    { std::lock_guard lock(mutex_); stop_ = true; }
    changed_.notify_all();
    thread_.join();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
    return take();
  }
  // Nothing, too, while the next value is being made.
  std::optional<T> next_if_ready() {
    std::lock_guard lock(mutex_);
    return take();
  }

 private:
  std::optional<T> take() {
    if (ready_.empty()) return std::nullopt;
    std::optional<T> value(std::move(ready_.front()));
    ready_.pop_front();
    changed_.notify_all();
    return value;
  }
  void run() {
    for (;;) {
      std::optional<T> value = produce_();
      std::unique_lock lock(mutex_);
      if (!value) { ended_ = true; changed_.notify_all(); return; }
      ready_.push_back(std::move(*value));
      changed_.notify_all();
      changed_.wait(lock, [this] { return ready_.size() < depth_ || stop_; });
      if (stop_) return;
    }
  }

  std::function<std::optional<T>()> produce_;
  const std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> ready_;
  bool ended_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace dyad::worker
