#include "common/net/buffer_pool.h"

#include <algorithm>
#include <new>

namespace dyad::net {
namespace {
constexpr std::align_val_t kAlign{64};
constexpr std::size_t kSmall = 16384;            // malloc is as good below
constexpr std::size_t kBuffersMin = 8;
constexpr std::uint32_t kWindow = 1024;          // takes: hundreds of steps
}  // namespace

void BufferPool::Free::operator()(std::byte* p) const { ::operator delete[](p, kAlign); }

BufferPool::Buffer BufferPool::reuse(std::size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    if (++takes_ % kWindow == 0) {
      most_lent_before_ = most_lent_;
      most_lent_ = lent_;
    }
    most_lent_ = std::max(most_lent_, ++lent_);
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (kept_[i].capacity >= bytes && kept_[i].capacity <= 4 * bytes) {
        Buffer found = std::move(kept_[i]);
        kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
        return found;
      }
  }
  const std::size_t capacity = bytes + bytes / 4;   // sizes of neighbouring steps differ a little
  try {
    return {std::unique_ptr<std::byte[], Free>(static_cast<std::byte*>(::operator new[](capacity, kAlign))), capacity};
  } catch (const std::bad_alloc&) {              // what is kept may be what lacks
    std::lock_guard lock(mutex_);
    kept_.clear();
    --lent_;
    throw;
  }
}

void BufferPool::give_back(Buffer buffer) {
  lent_bytes_ -= buffer.capacity;
  std::lock_guard lock(mutex_);
  --lent_;
  kept_.push_back(std::move(buffer));
  while (kept_.size() + lent_ > buffers_max()) kept_.erase(kept_.begin());   // the oldest: sizes drift
}

std::size_t BufferPool::buffers_max() const { return std::max({kBuffersMin, most_lent_, most_lent_before_}); }

std::size_t BufferPool::kept() {
  std::lock_guard lock(mutex_);
  return kept_.size();
}

Frame BufferPool::take(std::size_t bytes) {
  if (bytes < kSmall) return Frame(bytes);
  auto lent = std::make_unique<Buffer>(reuse(bytes));
  lent_bytes_ += lent->capacity;
  std::byte* data = lent->data.get();
  std::shared_ptr<Buffer> owner(lent.release(), [pool = weak_from_this()](Buffer* b) {
    std::unique_ptr<Buffer> back(b);
    if (const auto alive = pool.lock()) alive->give_back(std::move(*back));
  });
  return Frame::keep({data, bytes}, std::move(owner));
}

}  // namespace dyad::net
