#include "tools/bench/batches.h"

#include <algorithm>
#include <cmath>
#include "common/base/random.h"

namespace dyad::bench {
namespace {

// Selection sampling (Knuth 3.4.2 S): each set of `count` keys is as likely, and they come out in order.
std::vector<RowKey> uniform_keys(KeyedRandom& random, std::uint64_t count, std::uint64_t catalogue) {
  std::vector<RowKey> keys;
  count = std::min(count, catalogue);
  for (std::uint64_t k = 0; keys.size() < count; ++k)
    if (random.below(catalogue - k) < count - keys.size()) keys.push_back(RowKey{k});
  return keys;
}

// Ranks by the inverse of the continuous law's distribution; popular ones are spread over the catalogue, as ids are.
std::vector<RowKey> zipf_keys(KeyedRandom& random, std::uint64_t count, std::uint64_t catalogue, double exponent) {
  std::vector<RowKey> keys;
  const double n = static_cast<double>(catalogue), e = 1 - exponent;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double u = random.uniform();
    const double rank = std::abs(e) < 1e-9 ? std::pow(n + 1, u) : std::pow(1 + u * (std::pow(n + 1, e) - 1), 1 / e);
    const auto place = std::min(static_cast<std::uint64_t>(rank) - 1, catalogue - 1);
    keys.push_back(RowKey{mix64(place) % catalogue});
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace

std::vector<Batch> whole_catalogue(const BatchOptions& options) {
  std::vector<Batch> batches;
  for (std::uint64_t begin = 0; begin < options.catalogue; begin += options.rows) {
    Batch batch;
    for (auto& keys : batch.keys)
      for (std::uint64_t k = begin; k < std::min<std::uint64_t>(begin + options.rows, options.catalogue); ++k)
        keys.push_back(RowKey{k});
    batches.push_back(std::move(batch));
  }
  return batches;
}

std::vector<Batch> new_keys(const BatchOptions& options, std::uint32_t worker, std::uint32_t workers,
                            std::uint32_t count) {
  std::vector<Batch> batches(count);
  for (std::uint32_t b = 0; b < count; ++b)
    for (int t = 0; t < kTables; ++t)
      for (std::uint64_t i = 0; i < options.rows_of(t); ++i)
        batches[b].keys[t].push_back(RowKey{options.catalogue + (i * count + b) * workers + worker});
  return batches;
}

std::uint64_t keys_end(const BatchOptions& options, std::uint32_t workers, std::uint32_t count) {
  return options.catalogue + std::uint64_t{options.rows} * workers * count;
}

std::vector<Batch> known_keys(const BatchOptions& options, std::uint32_t worker, std::uint32_t count) {
  std::vector<Batch> batches(count);
  for (std::uint32_t b = 0; b < count; ++b)
    for (int t = 0; t < kTables; ++t) {
      KeyedRandom random(1, worker * kTables + static_cast<std::uint64_t>(t), b);
      batches[b].keys[t] = options.zipf > 0
                               ? zipf_keys(random, options.rows_of(t), options.catalogue, options.zipf)
                               : uniform_keys(random, options.rows_of(t), options.catalogue);
    }
  return batches;
}

}  // namespace dyad::bench
