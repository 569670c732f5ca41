#include "common/net/buffer_pool.h"

#include <new>

namespace dyad::net {
namespace {
constexpr std::align_val_t kAlign{64};
constexpr std::size_t kSmall = 16384;            // malloc is as good below
}  // namespace

void BufferPool::Free::operator()(std::byte* p) const { ::operator delete[](p, kAlign); }

BufferPool::Buffer BufferPool::reuse(std::size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (kept_[i].capacity >= bytes && kept_[i].capacity <= 4 * bytes) {
        Buffer found = std::move(kept_[i]);
        kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
        return found;
      }
  }
  const std::size_t capacity = bytes + bytes / 4;   // sizes of neighbouring steps differ a little
  return {std::unique_ptr<std::byte[], Free>(static_cast<std::byte*>(::operator new[](capacity, kAlign))), capacity};
}

void BufferPool::give_back(Buffer buffer) {
  std::lock_guard lock(mutex_);
  if (kept_.size() >= kept_max_) kept_.erase(kept_.begin());   // the oldest: sizes drift
  kept_.push_back(std::move(buffer));
}

Frame BufferPool::take(std::size_t bytes) {
  if (bytes < kSmall) return Frame(bytes);
  auto lent = std::make_unique<Buffer>(reuse(bytes));
  std::byte* data = lent->data.get();
  std::shared_ptr<Buffer> owner(lent.release(), [pool = weak_from_this()](Buffer* b) {
    std::unique_ptr<Buffer> back(b);
    if (const auto alive = pool.lock()) alive->give_back(std::move(*back));
  });
  return Frame::keep({data, bytes}, std::move(owner));
}

}  // namespace dyad::net
