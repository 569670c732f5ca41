#pragma once
// A part of a cut is worth more than one try: a full disk may get room again, descriptors may come free, and the cut
// may be a job's last. Meanwhile training goes on.
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"

namespace dyad::ckpt {

struct Persistence {
  Millis tries_ms = 60'000, pause_ms = 1'000;
};

// Calls `write` until it succeeds, at most so long, and no longer than until `hurry` says that something waits for it
// (the next cut, or the end). Gives what the last try gave. `what`: "cut 1234", for the one warning.
template <class T>
Result<T> persist(const std::string& what, const std::function<Result<T>()>& write, const std::function<bool()>& hurry,
                  const Persistence& patience = {}) {
  constexpr Millis kLookMs = 50;
  const Millis end = steady_now_ms() + patience.tries_ms;
  for (bool warned = false;; warned = true) {
    auto result = write();
    if (result.has_value() || hurry()) return result;
    if (!warned)
      LOG_WARN("{}: {}; trying again for {} s", what, result.error().message, patience.tries_ms / 1000);
    for (const Millis again = steady_now_ms() + patience.pause_ms; steady_now_ms() < again && !hurry();)
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(kLookMs, patience.pause_ms)));
    if (steady_now_ms() >= end || hurry()) return result;
  }
}

}  // namespace dyad::ckpt
