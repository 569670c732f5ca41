#pragma once
// What a server counts. Plain atomics: written by its threads, read by whoever reports. Threads: any.
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include "common/metrics/histogram.h"

namespace dyad::ps {

struct Metrics {
  std::atomic<std::uint64_t> pulls{0}, pushes{0}, pulled_rows{0}, pushed_rows{0}, updated_rows{0}, bytes_in{0},
      bytes_out{0}, duplicates{0}, refused{0}, waiting{0}, held{0}, applied{0}, rows{0}, cuts{0}, cut_bytes{0},
      row_memory{0};                                // bytes of rows, slabs that a cut still holds included
  metrics::Histogram pull_wait, apply, cut;

  std::map<std::string, double> snapshot() const {   // names: common/metrics/families.h
    std::map<std::string, double> out;
    const auto put = [&](const char* name, const std::atomic<std::uint64_t>& v) {
      out[name] = static_cast<double>(v.load(std::memory_order_relaxed));
    };
    put("pulls_total", pulls), put("pushes_total", pushes), put("updated_rows_total", updated_rows);
    put("pulled_rows_total", pulled_rows), put("pushed_rows_total", pushed_rows);
    put("received_bytes_total", bytes_in), put("sent_bytes_total", bytes_out);
    put("duplicate_pushes_total", duplicates), put("refused_requests_total", refused);
    put("cuts_total", cuts), put("cut_bytes_total", cut_bytes);
    put("waiting_pulls", waiting), put("held_pushes", held), put("applied_step", applied), put("rows", rows);
    put("row_memory_bytes", row_memory);
    pull_wait.put("pull_wait_seconds", out), apply.put("apply_seconds", out), cut.put("cut_seconds", out);
    return out;
  }
};

}  // namespace dyad::ps
