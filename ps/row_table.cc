#include "ps/row_table.h"

#include <algorithm>
#include <cstring>
#include "common/base/check.h"
#include "common/base/initial_row.h"
#include "common/base/random.h"
#include "common/wire/half.h"
#include "common/wire/sections.h"

namespace dyad::ps {
namespace {

constexpr std::size_t kAhead = 16;   // keys between the prefetch of an index entry, that of its row, and the copy

template <class T> void prefetch(const T* p) { __builtin_prefetch(p); }
void prefetch_row(const float* row, std::size_t floats) {
  const std::size_t lines =
      std::min<std::size_t>(8, (floats * 4 + 63) / 64);  // the hardware prefetcher takes over from there
  for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(row + 16 * i);
}

}  // namespace

Slab::Slab(std::size_t stride_, std::atomic<std::uint64_t>* memory)
    : data(new float[kRows * stride_]), stride(stride_), counted(memory) {
  counted.set(sizeof(Slab) + kRows * stride * sizeof(float));
}
Slab::Slab(const Slab& other, std::atomic<std::uint64_t>* memory) : Slab(other.stride, memory) {
  keys = other.keys;
  counts = other.counts;
  std::memcpy(data.get(), other.data.get(), kRows * stride * sizeof(float));
}

RowTable::RowTable(const TableOptions& options, const RowOptimizer& optimizer)
    : options_(options),
      optimizer_(optimizer),
      stride_(options.dim + optimizer.slots(options.dim)),
      index_bytes_(options.memory),
      gradient_(options.dim) {
  CHECK_GT(options.dim, 0u);
  index_.resize(1024);
  index_bytes_.set(index_.size() * sizeof(Entry));
}

std::size_t RowTable::bytes() const {
  std::size_t bytes = index_bytes_.bytes();
  for (const auto& slab : slabs_) bytes += slab->counted.bytes();
  return bytes;
}

std::size_t RowTable::home(RowKey key) const { return mix64(key.value) & (index_.size() - 1); }

std::uint32_t RowTable::find(RowKey key) const {
  for (std::size_t at = home(key);; at = (at + 1) & (index_.size() - 1)) {
    const Entry& entry = index_[at];
    if (entry.slot == kNone || entry.key == key) return entry.slot;
  }
}

void RowTable::insert_index(RowKey key, std::uint32_t slot) {
  std::size_t at = home(key);
  while (index_[at].slot != kNone) at = (at + 1) & (index_.size() - 1);
  index_[at] = {key, slot};
}

void RowTable::grow_index(std::size_t rows) {
  if (2 * rows <= index_.size()) return;
  std::size_t capacity = index_.size();
  while (2 * rows > capacity) capacity *= 2;
  index_.assign(capacity, {});
  index_bytes_.set(capacity * sizeof(Entry));
  for (std::uint32_t slot = 0; slot < rows_; ++slot)
    insert_index(slabs_[slot / Slab::kRows]->keys[slot % Slab::kRows], slot);
}

std::uint32_t RowTable::insert(RowKey key) {
  CHECK_LT(rows_, std::size_t{kNone});
  const auto slot = static_cast<std::uint32_t>(rows_);
  if (slot % Slab::kRows == 0) slabs_.push_back(std::make_shared<Slab>(stride_, options_.memory));
  grow_index(rows_ + 1);
  writable(slot).keys[slot % Slab::kRows] = key;
  insert_index(key, slot);
  ++rows_;
  return slot;
}

std::uint32_t RowTable::find_or_insert(RowKey key) {
  const std::uint32_t found = find(key);
  if (found != kNone) return found;
  const std::uint32_t slot = insert(key);
  Slab& slab = *slabs_[slot / Slab::kRows];
  const std::size_t at = slot % Slab::kRows;
  slab.counts[at] = 0;
  float* data = slab.data.get() + at * stride_;
  initial_row(options_.seed, static_cast<std::uint64_t>(options_.table), key.value, options_.init_std,
              {data, options_.dim});
  std::fill(data + options_.dim, data + stride_, 0.0f);
  return slot;
}

Slab& RowTable::writable(std::uint32_t slot) {
  std::shared_ptr<Slab>& slab = slabs_[slot / Slab::kRows];
  if (slab->snapshots.load(std::memory_order_acquire) > 0) slab = std::make_shared<Slab>(*slab, options_.memory);
  return *slab;
}

void RowTable::gather(std::span<const RowKey> keys, std::span<const std::uint32_t> positions, wire::ValueType type,
                      std::byte* out) const {
  const std::size_t n = positions.empty() ? keys.size() : positions.size(), dim = options_.dim;
  const std::size_t row_bytes = dim * wire::value_bytes(type);
  const auto position = [&](std::size_t i) { return positions.empty() ? i : std::size_t{positions[i]}; };
  std::vector<float> fresh(dim);
  std::array<std::uint32_t, kAhead> slots{};   // of keys i .. i + kAhead - 1
  for (std::size_t i = 0; i < n + 2 * kAhead; ++i) {
    if (i < n) prefetch(&index_[home(keys[position(i)])]);
    if (i >= 2 * kAhead) {
      const std::size_t p = position(i - 2 * kAhead);
      const std::uint32_t slot = slots[i % kAhead];
      if (slot == kNone)
        initial_row(options_.seed, static_cast<std::uint64_t>(options_.table), keys[p].value, options_.init_std, fresh);
      wire::to_wire(slot == kNone ? fresh.data() : row(slot), dim, type, 1.0f, out + p * row_bytes);
    }
    if (i >= kAhead && i < n + kAhead) {
      const std::uint32_t slot = find(keys[position(i - kAhead)]);
      slots[i % kAhead] = slot;
      if (slot != kNone) prefetch_row(row(slot), dim);
    }
  }
}

// Chains the gradients of each row in the order of the pushes. sums_ and mark_ form a sparse set: no clearing between
// steps.
void RowTable::collect(std::span<const GradientRows> pushes) {
  sums_.clear();
  links_.clear();
  for (const GradientRows& push : pushes) {
    const std::size_t n = push.positions.empty() ? push.keys.size() : push.positions.size();
    const std::size_t row_bytes = options_.dim * wire::value_bytes(push.type);
    for (std::size_t i = 0; i < n; ++i) {
      if (i + kAhead < n)
        prefetch(&index_[home(push.keys[push.positions.empty() ? i + kAhead : push.positions[i + kAhead]])]);
      const std::size_t p = push.positions.empty() ? i : push.positions[i];
      const std::uint32_t slot = find_or_insert(push.keys[p]);
      if (slot >= mark_.size()) mark_.resize(slabs_.size() * Slab::kRows);
      const auto link = static_cast<std::uint32_t>(links_.size());
      links_.push_back({push.values.data() + p * row_bytes, push.type, kNone});
      const std::uint32_t at = mark_[slot];
      if (at < sums_.size() && sums_[at].slot == slot) {
        links_[sums_[at].last].next = link;
        sums_[at].last = link;
      } else {
        mark_[slot] = static_cast<std::uint32_t>(sums_.size());
        sums_.push_back({slot, link, link});
      }
    }
  }
}

void RowTable::update_row(const Sum& sum, float learning_rate) {
  const std::size_t dim = options_.dim, at = sum.slot % Slab::kRows;
  Slab& slab = writable(sum.slot);
  float* value = slab.data.get() + at * stride_;
  const Link& first = links_[sum.first];
  std::span<const float> gradient = gradient_;
  if (first.type == wire::ValueType::kFp32 && first.next == kNone && options_.clip <= 0) {
    gradient = {reinterpret_cast<const float*>(first.gradient),
                dim};  // in place, out of the received frame (8-byte aligned)
  } else {
    wire::from_wire(first.gradient, dim, first.type, 1.0f / wire::gradient_scale(first.type), gradient_.data());
    for (std::uint32_t l = first.next; l != kNone; l = links_[l].next)
      wire::add_from_wire(links_[l].gradient, dim, links_[l].type, 1.0f / wire::gradient_scale(links_[l].type),
                          gradient_.data());
    if (options_.clip > 0) clip_row(gradient_, options_.clip);
  }
  optimizer_.update({learning_rate, ++slab.counts[at], gradient, value, value + dim});
}

std::size_t RowTable::apply(float learning_rate, std::span<const GradientRows> pushes) {
  collect(pushes);
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    if (i + 2 < sums_.size()) {
      prefetch_row(row(sums_[i + 2].slot), stride_);
      prefetch_row(reinterpret_cast<const float*>(links_[sums_[i + 2].first].gradient), options_.dim);
    }
    update_row(sums_[i], learning_rate);
  }
  return sums_.size();
}

void RowTable::load(std::span<const RowKey> keys, std::span<const std::uint32_t> counts, std::span<const float> data) {
  CHECK_EQ(counts.size(), keys.size());
  CHECK_EQ(data.size(), keys.size() * stride_);
  grow_index(rows_ + keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) prefetch(&index_[home(keys[i + kAhead])]);
    const std::uint32_t slot = insert(keys[i]);
    Slab& slab = *slabs_[slot / Slab::kRows];
    slab.counts[slot % Slab::kRows] = counts[i];
    std::memcpy(slab.data.get() + (slot % Slab::kRows) * stride_, data.data() + i * stride_, stride_ * sizeof(float));
  }
}

void RowTable::reserve(std::size_t rows) { grow_index(rows); }

TableSnapshot RowTable::shape() const {
  return {options_.table, options_.dim, static_cast<std::uint32_t>(stride_ - options_.dim), optimizer_.name(), 0, {}};
}

TableSnapshot RowTable::freeze() {
  TableSnapshot snapshot = shape();
  snapshot.rows = rows_;
  snapshot.slabs.reserve(slabs_.size());
  for (const auto& slab : slabs_) snapshot.slabs.emplace_back(slab);
  return snapshot;
}

}  // namespace dyad::ps
