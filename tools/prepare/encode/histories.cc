#include "tools/prepare/encode/histories.h"
#include <atomic>
#include "common/base/random.h"
#include "tools/prepare/codes/similarity.h"
#include "tools/prepare/codes/vectors.h"

namespace dyad::encode {

Histories histories_of(const data::Dataset& dataset) {
  Histories out{.items = dataset.items()};
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const auto sequence = dataset.sequence(UserId{u});
    const std::size_t n = sequence.size() >= 3 ? sequence.size() - 2 : sequence.size();
    auto& train = out.train.emplace_back();
    for (std::size_t i = 0; i < n; ++i) train.push_back(sequence[i].value);
    if (n < sequence.size()) out.next.emplace_back(sequence[n - 1].value, sequence[n].value);
  }
  return out;
}

namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// kRecallUsers of them, each as likely, in their order (Knuth's algorithm S); the same ones at each call.
Pairs sample_of(const Pairs& pairs) {
  KeyedRandom random(0x726563616c6c);  // "recall"
  Pairs out;
  for (std::size_t i = 0; i < pairs.size() && out.size() < kRecallUsers; ++i)
    if (random.below(pairs.size() - i) < kRecallUsers - out.size()) out.push_back(pairs[i]);
  return out;
}

}  // namespace

double neighbour_recall(const io::Matrix& vectors, const Pairs& all, std::size_t k, unsigned threads) {
  if (all.empty()) return 0;
  const Pairs pairs = all.size() > kRecallUsers ? sample_of(all) : all;
  codes::Matrix rows(vectors.rows, vectors.cols);
  rows.values = vectors.values;
  codes::centre(rows);
  codes::normalise(rows, 1);
  const codes::PackedCentres packed(rows);
  constexpr std::size_t kBlock = 32;
  std::atomic<std::size_t> hits{0};
  codes::parallel_for((pairs.size() + kBlock - 1) / kBlock, threads, [&](std::size_t b) {
    const std::size_t n = std::min(kBlock, pairs.size() - b * kBlock);
    codes::Matrix from(n, rows.cols);
    for (std::size_t i = 0; i < n; ++i) std::copy_n(rows.row(pairs[b * kBlock + i].first), rows.cols, from.row(i));
    std::vector<float> similarity(n * packed.stride());
    packed.products(from, 0, n, similarity.data());
    for (std::size_t i = 0; i < n; ++i) {
      const auto [last, next] = pairs[b * kBlock + i];
      const float* s = similarity.data() + i * packed.stride();
      std::size_t nearer = 0;
      for (std::size_t item = 0; item < rows.rows; ++item) nearer += item != last && s[item] > s[next];
      if (next != last && nearer < k) hits.fetch_add(1, std::memory_order_relaxed);
    }
  });
  return static_cast<double>(hits) / static_cast<double>(pairs.size());
}

}  // namespace dyad::encode
