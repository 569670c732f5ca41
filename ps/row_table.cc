#include "ps/row_table.h"

#include <algorithm>
#include <cstring>
#include "common/base/check.h"
#include "common/base/initial_row.h"
#include "common/wire/row_values.h"
#include "common/wire/sections.h"

namespace dyad::ps {
namespace {

constexpr std::uint32_t kNone = RowIndex::kNone;

constexpr std::size_t kLine = 64;

void prefetch_row(const float* row, std::size_t floats) {
  const auto first = reinterpret_cast<std::uintptr_t>(row), end = reinterpret_cast<std::uintptr_t>(row + floats);
  const std::uintptr_t enough = std::min(end, first + 8 * kLine);   // the hardware prefetcher takes over from there
  for (std::uintptr_t at = first / kLine * kLine; at < enough; at += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(at));
}

std::size_t rows_of(const GradientRows& push) {
  return push.positions.empty() ? push.keys.size() : push.positions.size();
}
std::size_t position_of(const GradientRows& push, std::size_t i) {
  return push.positions.empty() ? i : push.positions[i];
}

}  // namespace

RowTable::RowTable(const TableOptions& options, const RowOptimizer& optimizer)
    : options_(options),
      optimizer_(optimizer),
      stride_(options.dim + optimizer.slots(options.dim)),
      slabs_(stride_, options.memory),
      index_(slabs_, options.memory),
      gradient_(options.dim) {
  CHECK_GT(options.dim, 0u);
}

template <class KeyOf>
void RowTable::locate(std::size_t n, KeyOf key, std::size_t floats, Located* out) const {
  for (std::size_t i = 0; i < n; ++i) out[i].probe = index_.probe(key(i));
  for (std::size_t i = 0; i < n; ++i) RowIndex::prefetch_line(out[i].probe);
  for (std::size_t i = 0; i < n; ++i) {
    out[i].slot = index_.likely(out[i].probe);
    if (out[i].slot == kNone) continue;
    slabs_.prefetch_key(out[i].slot);
    prefetch_row(slabs_.data(out[i].slot), floats);
  }
  for (std::size_t i = 0; i < n; ++i)
    if (out[i].slot != kNone && slabs_.key(out[i].slot) != key(i)) out[i].slot = index_.find(out[i].probe, key(i));
}

void RowTable::write_initial(RowKey key, wire::ValueType type, std::byte* out) const {
  const std::size_t dim = options_.dim;
  const auto draw = [&](float* row) {
    initial_row(options_.seed, options_.stream, key.value, options_.init_std, {row, dim});
  };
  if (type == wire::ValueType::kFp32) return draw(reinterpret_cast<float*>(out));   // frames are aligned
  std::vector<float> row(dim);
  draw(row.data());
  wire::to_wire(row.data(), dim, type, 1.0f, out);
}

void RowTable::gather(std::span<const RowKey> keys, std::span<const std::uint32_t> positions, wire::ValueType type,
                      std::byte* out) const {
  const std::size_t n = positions.empty() ? keys.size() : positions.size(), dim = options_.dim;
  const std::size_t row_bytes = dim * wire::value_bytes(type);
  const auto position = [&](std::size_t i) { return positions.empty() ? i : std::size_t{positions[i]}; };
  Located rows[kBlock];
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t count = std::min(kBlock, n - begin);
    locate(count, [&](std::size_t i) { return keys[position(begin + i)]; }, dim, rows);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t p = position(begin + i);
      if (rows[i].slot == kNone) write_initial(keys[p], type, out + p * row_bytes);
      else wire::to_wire(slabs_.data(rows[i].slot), dim, type, 1.0f, out + p * row_bytes);
    }
  }
}

std::uint32_t RowTable::insert(RowKey key, std::uint64_t hash) {
  const std::uint32_t slot = slabs_.append(key);
  index_.insert(hash, slot);
  float* data = slabs_.writable(slot).data.get() + slot % Slab::kRows * stride_;
  write_initial(key, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(data));
  std::fill(data + options_.dim, data + stride_, 0.0f);
  return slot;
}

void RowTable::add_gradient(const GradientRows& push, std::size_t i) {
  const std::size_t at = position_of(push, i);
  if (sums_.empty() || sums_.back().key != push.keys[at])
    sums_.push_back({push.keys[at], static_cast<std::uint32_t>(links_.size()), 0});
  ++sums_.back().count;
  links_.push_back({push.values.data() + at * options_.dim * wire::value_bytes(push.type), push.type});
}

// Merges the pushes by key: the gradients of a row lie together in links_, in the order of the pushes.
void RowTable::collect(std::span<const GradientRows> pushes) {
  struct Cursor {
    RowKey key;
    std::uint32_t push = 0;
    std::size_t at = 0;
    bool operator>(const Cursor& other) const { return std::pair(key, push) > std::pair(other.key, other.push); }
  };
  sums_.clear();
  links_.clear();
  if (pushes.size() == 1) {
    for (std::size_t i = 0; i < rows_of(pushes[0]); ++i) add_gradient(pushes[0], i);
    return;
  }
  std::vector<Cursor> heap;
  const auto key_at = [&](std::uint32_t push, std::size_t at) {
    return pushes[push].keys[position_of(pushes[push], at)];
  };
  for (std::uint32_t p = 0; p < pushes.size(); ++p)
    if (rows_of(pushes[p]) > 0) heap.push_back({key_at(p, 0), p, 0});
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    Cursor& least = heap.back();
    add_gradient(pushes[least.push], least.at);
    if (++least.at == rows_of(pushes[least.push])) {
      heap.pop_back();
      continue;
    }
    least.key = key_at(least.push, least.at);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
}

std::span<const float> RowTable::gradient_of(const Sum& sum) {
  const Link* const links = &links_[sum.first];
  const std::size_t dim = options_.dim;
  if (links->type == wire::ValueType::kFp32 && sum.count == 1 && options_.clip <= 0)
    return {reinterpret_cast<const float*>(links->gradient), dim};   // where it was received (8-byte aligned)
  wire::from_wire(links->gradient, dim, links->type, 1.0f / wire::gradient_scale(links->type), gradient_.data());
  for (std::uint32_t l = 1; l < sum.count; ++l)
    wire::add_from_wire(links[l].gradient, dim, links[l].type, 1.0f / wire::gradient_scale(links[l].type),
                        gradient_.data());
  if (options_.clip > 0) clip_row(gradient_, options_.clip);
  return gradient_;
}

void RowTable::update_row(const Sum& sum, std::uint32_t slot, float learning_rate) {
  Slab& slab = slabs_.writable(slot);
  const std::size_t at = slot % Slab::kRows;
  float* value = slab.data.get() + at * stride_;
  const std::uint32_t count = slab.counts.at(at) + 1;
  slab.counts.set(at, count);
  optimizer_.update({learning_rate, count, gradient_of(sum), value, value + options_.dim});
}

std::size_t RowTable::apply(float learning_rate, std::span<const GradientRows> pushes) {
  collect(pushes);
  Located rows[kBlock];
  for (std::size_t begin = 0; begin < sums_.size(); begin += kBlock) {
    const std::size_t n = std::min(kBlock, sums_.size() - begin);
    const Sum* const sums = &sums_[begin];
    locate(n, [&](std::size_t i) { return sums[i].key; }, stride_, rows);
    for (std::size_t i = 0; i < n; ++i)
      update_row(sums[i], rows[i].slot == kNone ? insert(sums[i].key, rows[i].probe.hash) : rows[i].slot,
                 learning_rate);
  }
  return sums_.size();
}

void RowTable::load(std::span<const RowKey> keys, std::span<const std::uint32_t> counts, std::span<const float> data) {
  CHECK_EQ(counts.size(), keys.size());
  CHECK_EQ(data.size(), keys.size() * stride_);
  for (std::size_t begin = 0; begin < keys.size(); begin += kBlock) {
    const std::size_t n = std::min(kBlock, keys.size() - begin);
    RowIndex::Probe probes[kBlock];
    for (std::size_t i = 0; i < n; ++i) probes[i] = index_.probe(keys[begin + i]);
    for (std::size_t i = 0; i < n; ++i) RowIndex::prefetch_line(probes[i]);
    for (std::size_t i = begin; i < begin + n; ++i) {
      const std::uint32_t slot = slabs_.append(keys[i]);
      index_.insert(probes[i - begin].hash, slot);
      Slab& slab = slabs_.writable(slot);
      slab.counts.set(slot % Slab::kRows, counts[i]);
      std::memcpy(slab.data.get() + slot % Slab::kRows * stride_, data.data() + i * stride_, stride_ * sizeof(float));
    }
  }
}

TableSnapshot RowTable::shape() const {
  return {options_.table, options_.dim, static_cast<std::uint32_t>(stride_ - options_.dim), optimizer_.name(), 0, {}};
}

TableSnapshot RowTable::freeze() {
  TableSnapshot snapshot = shape();
  snapshot.rows = slabs_.rows();
  snapshot.slabs = slabs_.freeze();
  return snapshot;
}

}  // namespace dyad::ps
