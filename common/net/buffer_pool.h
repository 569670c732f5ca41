#pragma once
// Frames over memory that is used again: a fresh 9 MB block costs more in page faults than the copy into it.
// Threads: any; a frame gives its memory back wherever it ends, also after the pool is gone.
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>
#include "common/net/frame.h"

namespace dyad::net {

class BufferPool : public std::enable_shared_from_this<BufferPool> {   // REQUIRES make_shared
 public:
  explicit BufferPool(std::size_t kept_max = 8) : kept_max_(kept_max) {}
  Frame take(std::size_t bytes);                 // uninitialised, 64-byte aligned, to be written in place

 private:
  struct Free { void operator()(std::byte* p) const; };
  struct Buffer {
    std::unique_ptr<std::byte[], Free> data;
    std::size_t capacity = 0;
  };
  Buffer reuse(std::size_t bytes);
  void give_back(Buffer buffer);
  std::size_t kept_max_;
  std::mutex mutex_;
  std::vector<Buffer> kept_;                     // under mutex_, at most kept_max_
};

}  // namespace dyad::net
