#include "ps/slab.h"

#include <cstring>
#include "common/base/check.h"

namespace dyad::ps {

Slab::Slab(std::size_t stride_, std::atomic<std::uint64_t>* memory)
    : data(new float[kRows * stride_]), stride(stride_), counted(memory) {
  counted.set(sizeof(Slab) + kRows * (sizeof(std::uint32_t) + sizeof(std::uint16_t) + stride * sizeof(float)));
}
Slab::Slab(const Slab& other, std::atomic<std::uint64_t>* memory)
    : keys(other.keys), counts(other.counts), data(new float[kRows * other.stride]), stride(other.stride),
      counted(memory) {
  std::memcpy(data.get(), other.data.get(), kRows * stride * sizeof(float));
  counted.set(other.counted.bytes());
}

std::size_t Slabs::bytes() const {
  std::size_t bytes = 0;
  for (const auto& slab : slabs_) bytes += slab->counted.bytes();
  return bytes;
}

std::uint32_t Slabs::append(RowKey key) {
  CHECK_LT(rows_, (std::size_t{1} << 32) - 2);   // slots have 32 bits, two of their values mean none
  const auto slot = static_cast<std::uint32_t>(rows_);
  if (slot % Slab::kRows == 0) {
    slabs_.push_back(std::make_shared<Slab>(stride_, memory_));
    spots_.emplace_back(*slabs_.back());
  }
  Slab& slab = writable(slot);
  slab.keys.set(slot % Slab::kRows, key.value);
  spots_.back() = Spot(slab);                    // its keys may have got their high halves
  ++rows_;
  return slot;
}

Slab& Slabs::writable(std::uint32_t slot) {
  std::shared_ptr<Slab>& slab = slabs_[slot / Slab::kRows];
  if (slab->snapshots.load(std::memory_order_acquire) > 0) {
    slab = std::make_shared<Slab>(*slab, memory_);
    spots_[slot / Slab::kRows] = Spot(*slab);
  }
  return *slab;
}

std::vector<FrozenSlab> Slabs::freeze() const {
  std::vector<FrozenSlab> frozen;
  frozen.reserve(slabs_.size());
  for (const auto& slab : slabs_) frozen.emplace_back(slab);
  return frozen;
}

}  // namespace dyad::ps
