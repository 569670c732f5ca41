#include "common/base/log_limit.h"

#include <utility>
#include <fmt/format.h>

namespace dyad {

std::optional<std::string> LogLimit::take(Millis now) {
  std::lock_guard lock(mutex_);
  if (now >= since_ms_ + interval_ms_) {         // a quiet interval gives the burst back, a loud one a single line
    written_ = left_out_ > 0 ? burst_ - 1 : 0;
    since_ms_ = now;
  }
  if (written_ >= burst_) {
    ++left_out_;
    return std::nullopt;
  }
  ++written_;
  const std::uint64_t more = std::exchange(left_out_, 0);
  return more == 0 ? std::string() : fmt::format(" (and {} more like it)", more);
}

}  // namespace dyad
