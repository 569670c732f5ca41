#pragma once
// Something large that is made on a thread of its own when it is first asked for, so that a page can say so meanwhile.
// Threads: get() from one; `make` runs on another. Its end waits for a `make` that runs.
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include "common/base/result.h"

namespace dyad::ops {

template <class T> class Background {
 public:
  explicit Background(std::function<Result<T>()> make) : make_(std::move(make)) {}

  // Borrowed. Fails with kOverloaded while it is made: ask again. What `make` failed with is told once, then another
  // get() tries anew.
  Result<T*> get() {
    const std::lock_guard lock(mutex_);
    if (!begun_) begin();
    if (!made_) return fail(Code::kOverloaded, "it is being loaded");
    if (*made_) return &made_->value();
    const Error error = made_->error();
    made_.reset();
    begun_ = false;
    return error;
  }
  bool is_at_work() const {
    const std::lock_guard lock(mutex_);
    return begun_ && !made_;
  }

 private:
  void begin() {
    begun_ = true;
    thread_ = std::jthread([this] {
      auto made = make();
      const std::lock_guard lock(mutex_);
      made_.emplace(std::move(made));
    });
  }
  Result<T> make() const {
    try {
      return make_();
    } catch (const std::exception& e) {        // short of memory
      return fail(Code::kFailed, "it can't be loaded: {}", e.what());
    }
  }
  std::function<Result<T>()> make_;
  mutable std::mutex mutex_;
  bool begun_ = false;
  std::optional<Result<T>> made_;
  std::jthread thread_;                        // last: its end is waited for while the others are there
};

}  // namespace dyad::ops
