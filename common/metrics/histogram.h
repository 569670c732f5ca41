#pragma once
// Durations in seconds, counted by buckets whose bounds are fixed, so that those of many processes can be added up and
// no quantile claims more than the buckets know. Plain atomics. Threads: any.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <fmt/format.h>

namespace dyad::metrics {

class Histogram {
 public:
  static constexpr std::array kBounds{1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2,
                                      0.1,  0.25, 0.5,  1.0,  2.5,    5.0,  10.0, 30.0,   60.0};

  void add(double seconds) {                     // a bound belongs to its bucket, as Prometheus has it
    const auto bin = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
    bins_[static_cast<std::size_t>(bin)].fetch_add(1, std::memory_order_relaxed);
    micros_.fetch_add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6), std::memory_order_relaxed);
  }
  // As figures of a heartbeat: NAME.le.0.25 how many took at most so long, NAME.count, NAME.sum.
  void put(const std::string& name, std::map<std::string, double>& figures) const {
    double count = 0;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      count += static_cast<double>(bins_[i].load(std::memory_order_relaxed));
      if (i < kBounds.size()) figures[fmt::format("{}.le.{}", name, kBounds[i])] = count;
    }
    figures[name + ".count"] = count;
    figures[name + ".sum"] = static_cast<double>(micros_.load(std::memory_order_relaxed)) * 1e-6;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> bins_{};
  std::atomic<std::uint64_t> micros_{0};
};

}  // namespace dyad::metrics
