#include "common/net/buffer_pool.h"

#include <set>
#include <gtest/gtest.h>

namespace dyad::net {
namespace {

constexpr std::size_t kBytes = 64 << 10;

std::vector<Frame> take(BufferPool& pool, std::size_t n) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < n; ++i) frames.push_back(pool.take(kBytes));
  return frames;
}
std::set<const std::byte*> places(const std::vector<Frame>& frames) {
  std::set<const std::byte*> out;
  for (const Frame& f : frames) out.insert(f.bytes().data());
  return out;
}

TEST(BufferPool, AsManyBuffersAsAreInUseAtOnceAreUsedAgain) {
  const auto pool = std::make_shared<BufferPool>();
  for (const std::size_t n : {3u, 40u}) {        // tables times peers times pushes in flight
    std::set<const std::byte*> first;
    {
      const auto frames = take(*pool, n);
      first = places(frames);
    }
    EXPECT_EQ(pool->kept(), n);
    EXPECT_EQ(places(take(*pool, n)), first);
  }
}

TEST(BufferPool, WhatIsNotNeededAnyMoreIsFreed) {
  const auto pool = std::make_shared<BufferPool>();
  take(*pool, 100);
  EXPECT_EQ(pool->kept(), 100u);
  for (int step = 0; step < 3000; ++step) take(*pool, 1);
  EXPECT_LE(pool->kept(), 8u);
}

TEST(BufferPool, CountsTheBytesThatAreLent) {
  const auto pool = std::make_shared<BufferPool>();
  {
    const auto frames = take(*pool, 2);
    EXPECT_GE(pool->lent_bytes(), 2 * kBytes);
  }
  EXPECT_EQ(pool->lent_bytes(), 0u);
}

}  // namespace
}  // namespace dyad::net
