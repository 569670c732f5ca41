#pragma once
// Frames over memory that is used again: a fresh 9 MB block costs more in page faults than the copy into it.
// Threads: any; a frame gives its memory back wherever it ends, also after the pool is gone.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>
#include "common/net/frame.h"

namespace dyad::net {

class BufferPool : public std::enable_shared_from_this<BufferPool> {   // REQUIRES make_shared
 public:
  Frame take(std::size_t bytes);                 // uninitialised, 64-byte aligned, to be written in place
  std::uint64_t lent_bytes() const { return lent_bytes_; }         // of frames that have not ended, small ones aside
  std::size_t kept();                            // buffers that wait to be used again

 private:
  struct Free { void operator()(std::byte* p) const; };
  struct Buffer {
    std::unique_ptr<std::byte[], Free> data;
    std::size_t capacity = 0;
  };
  Buffer reuse(std::size_t bytes);
  void give_back(Buffer buffer);
  // As many as were in use at once lately: tables times peers times pushes in flight, which only the use shows.
  std::size_t buffers_max() const;
  std::atomic<std::uint64_t> lent_bytes_{0};
  std::mutex mutex_;
  std::vector<Buffer> kept_;                     // under mutex_, as all below; with those lent at most buffers_max()
  std::size_t lent_ = 0, most_lent_ = 0, most_lent_before_ = 0;    // in this window of takes, in the one before
  std::uint32_t takes_ = 0;
};

}  // namespace dyad::net
