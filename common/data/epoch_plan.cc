#include "common/data/epoch_plan.h"

#include <algorithm>
#include "common/base/check.h"
#include "common/base/random.h"

namespace dyad::data {
namespace {

constexpr std::uint64_t kLengthStream = 0x65706f63686c;   // "epochl"
constexpr std::uint64_t kCutStream = 0x65706f636863;      // "epochc"

// Indices sorted by (history length + jitter), index where equal. The sum is scaled to 32 bits and the index put below
// it, so that the sort is one of plain integers: 1.7 million samples in 0.4 s on a busy core.
std::vector<std::uint32_t> by_length(std::span<const Sample> samples, const EpochOptions& options) {
  const double jitter = std::max(1.0, options.length_jitter);   // below 1 it would only repeat an epoch's batches
  const double scale = 4294967295.0 / (static_cast<double>(options.history_max) + jitter);
  KeyedRandom random(options.seed, kLengthStream, options.epoch);
  std::vector<std::uint64_t> keys(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto length = static_cast<double>(std::min<std::size_t>(samples[i].target, options.history_max));
    keys[i] = static_cast<std::uint64_t>((length + jitter * random.uniform()) * scale) << 32 | i;
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> order(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) order[i] = static_cast<std::uint32_t>(keys[i]);
  return order;
}

}  // namespace

EpochPlan::EpochPlan(std::span<const Sample> samples, const EpochOptions& options) : begin_{0} {
  CHECK_GT(options.global_batch, 0u);
  CHECK_LT(samples.size(), std::size_t{1} << 32);
  const std::vector<std::uint32_t> sorted = by_length(samples, options);
  const std::size_t n = sorted.size(), count = (n + options.global_batch - 1) / options.global_batch;
  if (count == 0) return;
  KeyedRandom random(options.seed, kCutStream, options.epoch);
  const std::size_t phase = random.below(count);
  std::vector<std::uint32_t> batches(count);
  for (std::size_t b = 0; b < count; ++b) batches[b] = static_cast<std::uint32_t>(b);
  shuffle(batches, random);
  order_.reserve(n);
  const auto cut = [&](std::size_t b) { return b == 0 ? 0 : b == count ? n : (b * n + phase) / count; };
  for (const std::uint32_t b : batches) {
    order_.insert(order_.end(), sorted.begin() + static_cast<std::ptrdiff_t>(cut(b)),
                  sorted.begin() + static_cast<std::ptrdiff_t>(cut(b + 1)));
    begin_.push_back(order_.size());
  }
}

std::span<const std::uint32_t> EpochPlan::batch(std::size_t b) const {
  CHECK_LT(b, batches());
  return std::span(order_).subspan(begin_[b], begin_[b + 1] - begin_[b]);
}

std::vector<std::uint32_t> EpochPlan::part(std::size_t b, WorkerRank rank, std::size_t ranks) const {
  CHECK_LT(rank.value, ranks);
  const std::span<const std::uint32_t> all = batch(b);
  std::vector<std::uint32_t> mine;
  for (std::size_t i = rank.value; i < all.size(); i += ranks) mine.push_back(all[i]);
  return mine;
}

std::uint64_t sample_checksum(const Position& position) {
  return mix64(0x73616d706c65, position.partition.value, position.offset);   // "sample"
}

}  // namespace dyad::data
