#pragma once
// The rows of one table that one owner thread holds: an index (key -> slot) over rows in slabs. Knows no network, disk
// or steps. Threads: one owner; a TableSnapshot is immutable, may be read by any thread and ends on any.
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include "common/base/ids.h"
#include "common/wire/messages.h"
#include "ps/optimizer/optimizer.h"
#include "ps/row_index.h"
#include "ps/slab.h"

namespace dyad::ps {

struct TableOptions {
  TableId table{};
  std::uint32_t dim = 0;
  std::uint64_t seed = 1;                       // of initial rows, with the stream and the key (initial_row.h)
  float init_std = 0.02f;
  float clip = 0;                               // norm of one row's gradient, 0: none
  std::atomic<std::uint64_t>* memory = nullptr;  // counts the bytes of index and slabs, of those in snapshots too
  std::uint64_t stream = 0;
};

struct TableSnapshot {
  TableId table{};
  std::uint32_t dim = 0, slots = 0;
  std::string optimizer;
  std::size_t rows = 0;
  std::vector<FrozenSlab> slabs;
};

// Gradients of one push for this table: rows `positions` of the frame (empty: all of them, in order).
struct GradientRows {
  std::span<const RowKey> keys;                 // ascending, each once
  std::span<const std::byte> values;            // [keys.size(), dim] in wire form
  wire::ValueType type = wire::ValueType::kFp32;
  std::span<const std::uint32_t> positions;     // ascending
};

class RowTable {
 public:
  RowTable(const TableOptions& options, const RowOptimizer& optimizer);   // borrows the optimizer

  std::size_t rows() const { return slabs_.rows(); }
  std::size_t dim() const { return options_.dim; }
  std::size_t bytes() const { return slabs_.bytes() + index_.bytes(); }   // what only a snapshot holds is in `memory`
  // Writes the rows of keys[positions] (all keys if positions is empty) into the same positions of `out`, in wire form
  // [keys.size(), dim]. An unknown key gets its initial value and is not inserted.
  void gather(std::span<const RowKey> keys, std::span<const std::uint32_t> positions, wire::ValueType type,
              std::byte* out) const;
  // One optimizer update of every row that has a gradient in `pushes`: g = sum in the order of `pushes`, then clipped.
  // Returns rows updated.
  std::size_t apply(float learning_rate, std::span<const GradientRows> pushes);
  // Puts rows as a checkpoint holds them; data [keys.size(), dim + slots]. Draws nothing. REQUIRES none is there yet.
  void load(std::span<const RowKey> keys, std::span<const std::uint32_t> counts, std::span<const float> data);
  void reserve(std::size_t rows) { index_.reserve(rows); }

  TableSnapshot shape() const;                  // a snapshot without rows
  TableSnapshot freeze();

 private:
  static constexpr std::size_t kBlock = 32;     // keys that are searched for together
  struct Sum { RowKey key; std::uint32_t first = 0, count = 0; };         // a row of this step, its gradients in links_
  struct Link { const std::byte* gradient = nullptr; wire::ValueType type{}; };

  struct Located { RowIndex::Probe probe; std::uint32_t slot; };          // kNone: not there

  // Searches for n <= kBlock keys, and asks memory for so many floats of each row.
  template <class KeyOf> void locate(std::size_t n, KeyOf key, std::size_t floats, Located* out) const;
  void write_initial(RowKey key, wire::ValueType type, std::byte* out) const;
  std::uint32_t insert(RowKey key, std::uint64_t hash);                   // with its initial value
  void collect(std::span<const GradientRows> pushes);
  void add_gradient(const GradientRows& push, std::size_t i);
  std::span<const float> gradient_of(const Sum& sum);
  void update_row(const Sum& sum, std::uint32_t slot, float learning_rate);

  TableOptions options_;
  const RowOptimizer& optimizer_;
  std::size_t stride_;
  Slabs slabs_;
  RowIndex index_;
  std::vector<Sum> sums_;                       // scratch of apply
  std::vector<Link> links_;
  std::vector<float> gradient_;                 // [dim]
};

}  // namespace dyad::ps
