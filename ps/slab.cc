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

void Slabs::Held::look() {
  low = slab->keys.low();
  high = slab->keys.high();
  data = slab->data.get();
}

template <class Visit> void Slabs::each(Visit visit) const {
  for (std::size_t slot = 0; slot < rows_; slot += Slab::kRows) visit(of(static_cast<std::uint32_t>(slot)).slab);
}

std::size_t Slabs::bytes() const {
  std::size_t bytes = 0;
  each([&](const auto& slab) { bytes += slab->counted.bytes(); });
  return bytes;
}

std::uint32_t Slabs::append(RowKey key) {
  CHECK_LT(rows_, (std::size_t{1} << 32) - 2);   // slots have 32 bits, two of their values mean none
  const auto slot = static_cast<std::uint32_t>(rows_);
  if (slot % (Slab::kRows * kChunk) == 0) chunks_.emplace_back(new Held[kChunk]);
  if (slot % Slab::kRows == 0) of(slot).slab = std::make_shared<Slab>(stride_, memory_);
  writable(slot).keys.set(slot % Slab::kRows, key.value);
  of(slot).look();                               // its keys may have got their high halves
  ++rows_;
  return slot;
}

Slab& Slabs::writable(std::uint32_t slot) {
  Held& held = of(slot);
  if (held.slab->snapshots.load(std::memory_order_acquire) > 0) {
    held.slab = std::make_shared<Slab>(*held.slab, memory_);
    held.look();
  }
  return *held.slab;
}

std::vector<FrozenSlab> Slabs::freeze() const {
  std::vector<FrozenSlab> frozen;
  frozen.reserve((rows_ + Slab::kRows - 1) / Slab::kRows);
  each([&](const auto& slab) { frozen.emplace_back(slab); });
  return frozen;
}

}  // namespace dyad::ps
