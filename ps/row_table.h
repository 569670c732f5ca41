#pragma once
// The rows of one table that one owner thread holds: an open-addressing index (key -> slot) over rows in large slabs.
//   slab: keys [1024] | counts [1024] | data [1024, dim + slots], a row's value and its optimizer state side by side
// Slabs are copy-on-write: freeze() shares them with a Snapshot in O(slabs), and a write to a slab clones it while a
// snapshot holds it, and only then. Knows no network, disk or steps. Threads: one owner; a Snapshot is immutable, may
// be read by any thread and ends on any.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>
#include "common/base/ids.h"
#include "common/wire/messages.h"
#include "ps/optimizer/optimizer.h"

namespace dyad::ps {

struct TableOptions {
  TableId table = TableId::kItem;
  std::uint32_t dim = 0;
  std::uint64_t seed = 1;                       // of initial rows, with the table and the key (initial_row.h)
  float init_std = 0.02f;
  float clip = 0;                               // norm of one row's gradient, 0: none
  std::atomic<std::uint64_t>* memory = nullptr;  // counts the bytes of index and slabs, of those in snapshots too
};

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

struct Slab {
  static constexpr std::size_t kRows = 1024;
  Slab(std::size_t stride, std::atomic<std::uint64_t>* memory);
  Slab(const Slab& other, std::atomic<std::uint64_t>* memory);
  std::array<RowKey, kRows> keys;
  std::array<std::uint32_t, kRows> counts;      // updates of the row
  std::unique_ptr<float[]> data;                // [kRows, stride]
  std::size_t stride;
  std::atomic<std::uint32_t> snapshots{0};      // that hold it; only the owner adds one
  CountedBytes counted;
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

struct TableSnapshot {
  TableId table = TableId::kItem;
  std::uint32_t dim = 0, slots = 0;
  std::string optimizer;
  std::size_t rows = 0;
  std::vector<FrozenSlab> slabs;
};

// Gradients of one push for this table: rows `positions` of the frame (empty: all of them, in order).
struct GradientRows {
  std::span<const RowKey> keys;
  std::span<const std::byte> values;            // [keys.size(), dim] in wire form
  wire::ValueType type = wire::ValueType::kFp32;
  std::span<const std::uint32_t> positions;
};

class RowTable {
 public:
  RowTable(const TableOptions& options, const RowOptimizer& optimizer);   // borrows the optimizer

  std::size_t rows() const { return rows_; }
  std::size_t dim() const { return options_.dim; }
  std::size_t bytes() const;                    // of slabs and index; what only a snapshot holds is in `memory` alone
  // Writes the rows of keys[positions] (all keys if positions is empty) into the same positions of `out`, in wire form
  // [keys.size(), dim]. An unknown key gets its initial value and is not inserted.
  void gather(std::span<const RowKey> keys, std::span<const std::uint32_t> positions, wire::ValueType type,
              std::byte* out) const;
  // One optimizer update of every row that has a gradient in `pushes`: g = sum in the order of `pushes`, then clipped.
  // Returns rows updated.
  std::size_t apply(float learning_rate, std::span<const GradientRows> pushes);
  // Puts rows as a checkpoint holds them; data [keys.size(), dim + slots]. Draws nothing. REQUIRES none is there yet.
  void load(std::span<const RowKey> keys, std::span<const std::uint32_t> counts, std::span<const float> data);
  void reserve(std::size_t rows);               // of the index: no rebuilding up to so many

  TableSnapshot shape() const;                  // a snapshot without rows
  TableSnapshot freeze();

 private:
  static constexpr std::uint32_t kNone = ~0u;
  struct Entry { RowKey key; std::uint32_t slot = kNone; };
  struct Sum {
    std::uint32_t slot = 0;
    std::uint32_t first = 0, last = 0;
  };  // a row of this step and its chain of gradients
  struct Link { const std::byte* gradient = nullptr; wire::ValueType type{}; std::uint32_t next = kNone; };

  std::size_t home(RowKey key) const;
  std::uint32_t find(RowKey key) const;
  std::uint32_t find_or_insert(RowKey key);
  std::uint32_t insert(RowKey key);             // its count and data are the caller's to write
  void insert_index(RowKey key, std::uint32_t slot);
  void grow_index(std::size_t rows);
  Slab& writable(std::uint32_t slot);
  const float* row(std::uint32_t slot) const {
    return slabs_[slot / Slab::kRows]->data.get() + (slot % Slab::kRows) * stride_;
  }
  void collect(std::span<const GradientRows> pushes);
  void update_row(const Sum& sum, float learning_rate);

  TableOptions options_;
  const RowOptimizer& optimizer_;
  std::size_t stride_;
  std::size_t rows_ = 0;
  std::vector<std::shared_ptr<Slab>> slabs_;
  std::vector<Entry> index_;                    // a power of two, at most half full
  CountedBytes index_bytes_;
  std::vector<Sum> sums_;                       // scratch of apply
  std::vector<Link> links_;
  std::vector<std::uint32_t> mark_;             // [slots] index into sums_; valid if sums_ points back
  std::vector<float> gradient_;                 // [dim]
};

}  // namespace dyad::ps
