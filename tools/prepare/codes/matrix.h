#pragma once
// Row-major float matrices, and a loop over blocks that threads share. Knows nothing of files.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace dyad::codes {

struct Matrix {
  std::size_t rows = 0, cols = 0;
  std::vector<float> values;                      // [rows, cols]
  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), cols(c), values(r * c) {}
  float* row(std::size_t i) { return values.data() + i * cols; }
  const float* row(std::size_t i) const { return values.data() + i * cols; }
};

struct MatrixView {                               // borrowed
  const float* values = nullptr;
  std::size_t rows = 0, cols = 0;
  MatrixView() = default;
  MatrixView(const float* v, std::size_t r, std::size_t c) : values(v), rows(r), cols(c) {}
  MatrixView(const Matrix& m) : values(m.values.data()), rows(m.rows), cols(m.cols) {}   // NOLINT: a view of it
  const float* row(std::size_t i) const { return values + i * cols; }
};

// Calls work(i) for i in [0, n), each once, on up to `threads` threads. Which thread takes which i is raced for, so
// work(i) must write only what belongs to i: then the result is the same for every number of threads.
template <class Work> void parallel_for(std::size_t n, unsigned threads, Work&& work) {
  const auto count = static_cast<unsigned>(std::min<std::size_t>(threads, n));
  if (count <= 1) {
    for (std::size_t i = 0; i < n; ++i) work(i);
    return;
  }
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) work(i);
  };
  std::vector<std::jthread> others;
  for (unsigned t = 1; t < count; ++t) others.emplace_back(run);
  run();
}

}  // namespace dyad::codes
