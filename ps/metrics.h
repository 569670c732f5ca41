#pragma once
// What a server counts. Plain atomics: written by its threads, read by whoever reports. Threads: any.
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>

namespace dyad::ps {

class Histogram {                                  // of seconds, in powers of two from 2^-20 (1 us) to 2^11
 public:
  void add(double seconds) {
    const int exponent = seconds > 0 ? std::ilogb(seconds) : -20;
    const int bin = exponent < -20 ? 0 : exponent > 11 ? 31 : exponent + 20;
    bins_[static_cast<std::size_t>(bin)].fetch_add(1, std::memory_order_relaxed);
    micros_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
  }
  // The upper edge of the bin that holds the p-th part of the values; 0 when there are none.
  double quantile(double p) const {
    const std::uint64_t total = count();
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      seen += bins_[i].load(std::memory_order_relaxed);
      if (total > 0 && static_cast<double>(seen) >= p * static_cast<double>(total))
        return std::ldexp(1.0, static_cast<int>(i) - 19);
    }
    return 0;
  }
  std::uint64_t count() const {
    std::uint64_t total = 0;
    for (const auto& bin : bins_) total += bin.load(std::memory_order_relaxed);
    return total;
  }
  double sum() const { return static_cast<double>(micros_.load(std::memory_order_relaxed)) * 1e-6; }

 private:
  std::array<std::atomic<std::uint64_t>, 32> bins_{};
  std::atomic<std::uint64_t> micros_{0};
};

struct Metrics {
  std::atomic<std::uint64_t> pulls{0}, pushes{0}, pulled_rows{0}, pushed_rows{0}, updated_rows{0}, bytes_in{0},
      bytes_out{0}, duplicates{0}, refused{0}, waiting{0}, held{0}, applied{0}, rows{0}, cuts{0}, cut_bytes{0},
      row_memory{0};                                // bytes of rows, slabs that a cut still holds included
  Histogram pull_wait, apply, cut;

  std::map<std::string, double> snapshot() const {   // endings as common/metrics/prometheus.h reads them
    std::map<std::string, double> out;
    const auto put = [&](const char* name, const std::atomic<std::uint64_t>& v) {
      out[name] = static_cast<double>(v.load(std::memory_order_relaxed));
    };
    put("pulls_total", pulls), put("pushes_total", pushes), put("updated_rows_total", updated_rows);
    put("pulled_rows_total", pulled_rows), put("pushed_rows_total", pushed_rows);
    put("bytes_in_total", bytes_in), put("bytes_out_total", bytes_out);
    put("duplicates_total", duplicates), put("refused_total", refused);
    put("cuts_total", cuts), put("cut_bytes_total", cut_bytes);
    put("waiting_pulls", waiting), put("held_pushes", held), put("applied_step", applied), put("rows", rows);
    put("row_memory_bytes", row_memory);
    const auto time = [&](const std::string& name, const Histogram& h) {
      out[name + "_seconds_sum"] = h.sum();
      out[name + "_seconds_count"] = static_cast<double>(h.count());
      out[name + "_seconds_p50"] = h.quantile(0.5);
      out[name + "_seconds_p99"] = h.quantile(0.99);
    };
    time("pull_wait", pull_wait), time("apply", apply), time("cut", cut);
    return out;
  }
};

}  // namespace dyad::ps
