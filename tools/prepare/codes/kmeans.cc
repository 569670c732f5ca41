#include "tools/prepare/codes/kmeans.h"
#include <algorithm>
#include <mutex>
#include <numeric>
#include "common/base/check.h"
#include "common/base/random.h"
#include "tools/prepare/codes/balanced_assign.h"

namespace dyad::codes {
namespace {

constexpr int kFirstPasses = 40, kLaterPasses = 12,
              kLastPasses = 40;   // of prices; later rounds start from the last prices
constexpr double kLeastGain = 1e-4;                                     // of the objective, relative

Matrix random_rows(MatrixView rows, std::size_t k, std::uint64_t seed) {
  KeyedRandom random(seed, 0x6b6d6561);  // "kmea"
  std::vector<std::uint32_t> order(rows.rows);
  std::iota(order.begin(), order.end(), 0u);
  Matrix out(k, rows.cols);
  for (std::size_t c = 0; c < k; ++c) {                                 // the first k steps of a shuffle
    std::swap(order[c], order[c + random.below(order.size() - c)]);
    std::copy_n(rows.row(order[c]), rows.cols, out.row(c));
  }
  return out;
}

std::vector<std::vector<std::uint32_t>> members_of(const std::vector<std::uint32_t>& cluster, std::size_t k) {
  std::vector<std::vector<std::uint32_t>> out(k);
  for (auto& m : out) m.reserve(cluster.size() / k + 2);
  for (std::size_t i = 0; i < cluster.size(); ++i) out[cluster[i]].push_back(static_cast<std::uint32_t>(i));
  return out;
}

void mean_of(MatrixView rows, const std::vector<std::uint32_t>& members, float* out) {
  std::vector<double> sum(rows.cols);
  for (const std::uint32_t i : members)
    for (std::size_t j = 0; j < rows.cols; ++j) sum[j] += rows.row(i)[j];
  for (std::size_t j = 0; j < rows.cols; ++j) out[j] = static_cast<float>(sum[j] / static_cast<double>(members.size()));
}

void move_centres(MatrixView rows, const std::vector<std::uint32_t>& cluster, Matrix& centres, unsigned threads) {
  const auto members = members_of(cluster, centres.rows);
  parallel_for(centres.rows, threads, [&](std::size_t c) {
    if (!members[c].empty()) mean_of(rows, members[c], centres.row(c));
  });
}

// Order inside a last-level cluster: nearest to the mean first, equals by number.
std::vector<std::uint32_t> by_centrality(MatrixView rows) {
  std::vector<std::uint32_t> order(rows.rows);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<float> mean(rows.cols), similarity(rows.rows);
  mean_of(rows, order, mean.data());
  for (std::size_t i = 0; i < rows.rows; ++i)
    similarity[i] = std::inner_product(mean.begin(), mean.end(), rows.row(i), 0.0f);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return similarity[a] > similarity[b]; });
  return order;
}

struct Cluster {                                   // a node of the tree while it is built
  std::uint64_t key = 0;                           // seeds its split: the path so far
  std::vector<std::uint32_t> items;
};

Matrix gather(MatrixView rows, const std::vector<std::uint32_t>& items) {
  Matrix out(items.size(), rows.cols);
  for (std::size_t i = 0; i < items.size(); ++i) std::copy_n(rows.row(items[i]), rows.cols, out.row(i));
  return out;
}

// Splits one cluster at `level`, writes its items' codes there, returns the children (none at the last level).
std::vector<Cluster> split(MatrixView rows, const Cluster& node, std::size_t level, const KMeansOptions& options,
                           Codes& codes) {
  const bool everything = node.items.size() == rows.rows;
  const Matrix copy = everything ? Matrix{} : gather(rows, node.items);
  const MatrixView mine = everything ? rows : MatrixView(copy);
  const auto set = [&](std::size_t i, std::size_t code) {
    codes.values[node.items[i] * codes.levels + level] = static_cast<std::int32_t>(code);
  };
  if (level + 1 == codes.levels) {
    const auto order = by_centrality(mine);
    for (std::size_t code = 0; code < order.size(); ++code) set(order[code], code);
    return {};
  }
  KMeansOptions own = options;
  own.seed = mix64(options.seed, level, node.key);
  const auto cluster = balanced_kmeans(mine, own);
  std::vector<Cluster> children(options.k);
  for (std::size_t c = 0; c < options.k; ++c) children[c].key = node.key * options.k + c;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    set(i, cluster[i]);
    children[cluster[i]].items.push_back(node.items[i]);
  }
  return children;
}

}  // namespace

std::size_t depth_of(std::size_t items, std::uint32_t k) {
  CHECK_GE(k, 2u);
  std::size_t levels = 1;
  for (std::size_t room = k; room < items; room *= k) ++levels;
  return levels;
}

std::vector<std::uint32_t> balanced_kmeans(MatrixView rows, const KMeansOptions& options) {
  CHECK_GE(rows.rows, options.k);
  Matrix centres = random_rows(rows, options.k, options.seed);
  std::vector<float> prices(options.k, 0.0f);
  double before = 0;
  for (int round = 0; round + 1 < options.rounds; ++round) {
    const auto candidates =
        find_candidates(rows, centres, prices, round == 0 ? Keep::kAllIfSmall : Keep::kFew, options.threads);
    const auto now = assign_by_price(candidates, prices, round == 0 ? kFirstPasses : kLaterPasses, options.threads);
    move_centres(rows, now.cluster, centres, options.threads);
    if (round > 2 && now.similarity < before * (1 + kLeastGain)) break;
    before = now.similarity;
  }
  const auto candidates = find_candidates(rows, centres, prices, Keep::kAllIfSmall, options.threads);
  return assign_balanced(candidates, rows, centres, prices, kLastPasses, options.threads).cluster;
}

Codes hierarchical_codes(MatrixView rows, const KMeansOptions& options,
                         const std::function<void(std::size_t, std::size_t)>& progress) {
  Codes codes{.items = rows.rows, .levels = depth_of(rows.rows, options.k)};
  codes.values.resize(codes.items * codes.levels);
  std::vector<Cluster> level(1);
  level[0].items.resize(rows.rows);
  std::iota(level[0].items.begin(), level[0].items.end(), 0u);
  std::mutex mutex;
  for (std::size_t l = 0; l < codes.levels; ++l) {
    const bool wide = level.size() >= options.threads;     // threads over clusters, or inside the only one
    KMeansOptions inner = options;
    if (wide) inner.threads = 1;
    std::vector<std::vector<Cluster>> children(level.size());
    std::size_t done = 0;
    parallel_for(level.size(), wide ? options.threads : 1, [&](std::size_t c) {
      children[c] = split(rows, level[c], l, inner, codes);
      if (!progress) return;
      const std::lock_guard lock(mutex);
      progress(++done, level.size());
    });
    std::vector<Cluster> next;
    for (auto& c : children) std::move(c.begin(), c.end(), std::back_inserter(next));
    level = std::move(next);
  }
  return codes;
}

}  // namespace dyad::codes
