#pragma once
// Rows in large blocks, addressed by slot:
//   slab: keys [1024], counts [1024], data [1024, dim + slots], a row's value and its optimizer state side by side
// Keys below 2^32 take 4 bytes, counts below 2^16 take 2: with an index of some 7 bytes a row has 13 beside its floats.
// Slabs are copy-on-write: freeze() shares them in O(slabs), and a write to a slab clones it while a snapshot holds it,
// and only then. Threads: one owner; what is frozen is immutable, may be read by any thread and ends on any.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>
#include "common/base/ids.h"

namespace dyad::ps {

// Bytes that its owner holds, as part of a total that others read.
class CountedBytes {
 public:
  explicit CountedBytes(std::atomic<std::uint64_t>* total) : total_(total) {}
  ~CountedBytes() { set(0); }
  CountedBytes(const CountedBytes&) = delete;
  CountedBytes& operator=(const CountedBytes&) = delete;
  void set(std::uint64_t bytes) {
    if (total_ != nullptr) total_->fetch_add(bytes - bytes_, std::memory_order_relaxed);   // modulo 2^64
    bytes_ = bytes;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::atomic<std::uint64_t>* total_;
  std::uint64_t bytes_ = 0;
};

// n numbers, most of which fit into half of their width: the other halves are there once one of them needs it.
template <class Whole, class Half> class Column {
 public:
  static constexpr int kBits = 8 * sizeof(Half);
  explicit Column(std::size_t n) : n_(n), low_(new Half[n]()) {}
  Column(const Column& other) : Column(other.n_) {
    std::copy_n(other.low_.get(), n_, low_.get());
    if (other.high_) std::copy_n(other.high_.get(), n_, make_high());
  }
  Whole at(std::size_t i) const { return high_ ? Whole{high_[i]} << kBits | low_[i] : Whole{low_[i]}; }
  void set(std::size_t i, Whole value) {
    low_[i] = static_cast<Half>(value);
    if (!high_ && value >> kBits == 0) return;
    (high_ ? high_.get() : make_high())[i] = static_cast<Half>(value >> kBits);
  }
  const Half* low() const { return low_.get(); }
  const Half* high() const { return high_.get(); }                // null: all zeros

 private:
  Half* make_high() {
    high_.reset(new Half[n_]());
    return high_.get();
  }
  std::size_t n_;
  std::unique_ptr<Half[]> low_, high_;
};

struct Slab {
  static constexpr std::size_t kRows = 1024;
  Slab(std::size_t stride, std::atomic<std::uint64_t>* memory);
  Slab(const Slab& other, std::atomic<std::uint64_t>* memory);
  RowKey key(std::size_t row) const { return RowKey{keys.at(row)}; }
  Column<std::uint64_t, std::uint32_t> keys{kRows};
  Column<std::uint32_t, std::uint16_t> counts{kRows};             // updates of the row
  std::unique_ptr<float[]> data;                                  // [kRows, stride]
  std::size_t stride;
  std::atomic<std::uint32_t> snapshots{0};                        // that hold it; only the owner adds one
  CountedBytes counted;                                           // high halves aside
};

// A slab in a snapshot: not written to while this lives.
class FrozenSlab {
 public:
  explicit FrozenSlab(std::shared_ptr<Slab> slab) : slab_(std::move(slab)) {
    slab_->snapshots.fetch_add(1, std::memory_order_relaxed);
  }
  FrozenSlab(FrozenSlab&&) noexcept = default;
  ~FrozenSlab() {
    if (slab_) slab_->snapshots.fetch_sub(1, std::memory_order_release);   // what was read of it was read before
  }
  const Slab& operator*() const { return *slab_; }
  const Slab* operator->() const { return slab_.get(); }

 private:
  std::shared_ptr<Slab> slab_;
};

class Slabs {
 public:
  Slabs(std::size_t stride, std::atomic<std::uint64_t>* memory) : stride_(stride), memory_(memory) {}
  std::size_t rows() const { return rows_; }
  std::size_t bytes() const;
  // Where a row's key and data lie, without a look at the slab.
  RowKey key(std::uint32_t slot) const {
    const Held& held = of(slot);
    const std::size_t at = slot % Slab::kRows;
    return RowKey{held.high == nullptr ? held.low[at] : std::uint64_t{held.high[at]} << 32 | held.low[at]};
  }
  void prefetch_key(std::uint32_t slot) const { __builtin_prefetch(of(slot).low + slot % Slab::kRows); }
  const float* data(std::uint32_t slot) const { return of(slot).data + (slot % Slab::kRows) * stride_; }
  std::uint32_t append(RowKey key);             // the new row's slot; its count is 0, its data the caller's to write
  Slab& writable(std::uint32_t slot);
  std::vector<FrozenSlab> freeze() const;

 private:
  struct Held {
    std::shared_ptr<Slab> slab;
    const std::uint32_t *low = nullptr, *high = nullptr;          // of its keys
    const float* data = nullptr;
    void look();                                                  // at slab
  };
  static constexpr std::size_t kChunk = 256;
  Held& of(std::uint32_t slot) const { return chunks_[slot / Slab::kRows / kChunk][slot / Slab::kRows % kChunk]; }
  template <class Visit> void each(Visit visit) const;
  std::size_t stride_;
  std::atomic<std::uint64_t>* memory_;
  std::size_t rows_ = 0;
  // Of kChunk each: one vector of all moved megabytes when it grew, 5 ms at 67 million rows.
  std::vector<std::unique_ptr<Held[]>> chunks_;
};

}  // namespace dyad::ps
