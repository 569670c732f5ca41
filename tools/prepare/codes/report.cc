#include "tools/prepare/codes/report.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/base/random.h"
#include "common/data/item_files.h"
#include "tools/prepare/codes/vectors.h"

namespace dyad::codes {
namespace {

// Mean cosine between two different items of a cluster: (|sum|^2 - n) / (n (n - 1)) for unit rows.
// cluster[i] is the cluster of item order[i].
double mean_similarity(const Matrix& rows, const std::vector<std::uint32_t>& cluster,
                       const std::vector<std::uint32_t>& order) {
  std::map<std::uint32_t, std::pair<std::size_t, std::vector<double>>> sums;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto& [n, sum] = sums[cluster[i]];
    sum.resize(rows.cols);
    for (std::size_t j = 0; j < rows.cols; ++j) sum[j] += rows.row(order[i])[j];
    ++n;
  }
  double total = 0, weight = 0;
  for (const auto& [c, pair] : sums) {
    const auto n = static_cast<double>(pair.first);
    if (n < 2) continue;
    const double square = std::inner_product(pair.second.begin(), pair.second.end(), pair.second.begin(), 0.0);
    total += n * (square - n) / (n * (n - 1));
    weight += n;
  }
  return weight > 0 ? total / weight : 0;
}

std::pair<std::size_t, std::size_t> least_and_most(const std::map<std::uint32_t, std::size_t>& counts) {
  std::pair<std::size_t, std::size_t> out{SIZE_MAX, 0};
  for (const auto& [_, n] : counts) out = {std::min(out.first, n), std::max(out.second, n)};
  return out;
}

LevelReport report_level(const data::Trie& trie, const Matrix& rows, std::size_t level,
                         const std::vector<std::uint32_t>& shuffled) {
  std::vector<std::uint32_t> cluster(trie.items()), order(trie.items());
  std::iota(order.begin(), order.end(), 0u);
  std::map<std::uint32_t, std::size_t> items, children;
  for (std::size_t i = 0; i < trie.items(); ++i) {
    cluster[i] = trie.path(ItemId{static_cast<std::uint32_t>(i)})[level].value;
    ++items[cluster[i]];
  }
  for (const auto& [node, _] : items) ++children[trie.parent(NodeId{node}).value];
  LevelReport out{.clusters = items.size()};
  std::tie(out.children_min, out.children_max) = least_and_most(children);
  std::tie(out.items_min, out.items_max) = least_and_most(items);
  out.similarity = mean_similarity(rows, cluster, order);
  out.random_similarity = mean_similarity(rows, cluster, shuffled);
  return out;
}

std::string label(const data::Item& item) { return item.title.empty() ? item.key : item.title; }

std::vector<ClusterSample> sample_clusters(const data::Dataset& dataset, const data::Trie& trie,
                                           const ReportOptions& options) {
  std::vector<ClusterSample> out;
  const std::size_t first = trie.child_begin(NodeId{0}).value, count = trie.child_end(NodeId{0}).value - first;
  for (std::size_t s = 0; s < std::min(options.clusters, count); ++s) {
    const std::size_t code = (2 * s + 1) * count / (2 * std::min(options.clusters, count));   // spread over the codes
    ClusterSample sample{.code = static_cast<std::int32_t>(code)};
    for (std::size_t i = 0; i < trie.items(); ++i) {
      const ItemId item{static_cast<std::uint32_t>(i)};
      if (trie.path(item)[0].value != first + code) continue;
      if (sample.items++ < options.titles) sample.titles.push_back(label(dataset.item(item)));
    }
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace

Result<StreamReport> report_codes(const data::Dataset& dataset, Stream stream, const ReportOptions& options) {
  DYAD_TRY(codes, data::open_codes(dataset, stream_name(stream)));
  DYAD_TRY(embedding, load_embedding(dataset, stream));
  const data::Trie& trie = codes.trie;
  StreamReport out{.stream = stream, .items = trie.items(), .width = embedding.rows.cols};
  out.stale = !codes.built_from.empty() && codes.built_from != hex64(embedding.digest);
  out.sealed = codes.sealed;
  const Matrix rows = prepare_for_clustering(std::move(embedding.rows), 0, options.seed, 1);
  std::vector<std::uint32_t> shuffled(trie.items());
  std::iota(shuffled.begin(), shuffled.end(), 0u);
  KeyedRandom random(options.seed, 0x7265706f);  // "repo"
  shuffle(shuffled, random);
  for (std::size_t level = 0; level < trie.levels(); ++level)
    out.levels.push_back(report_level(trie, rows, level, shuffled));
  out.samples = sample_clusters(dataset, trie, options);
  return out;
}

std::string to_text(const StreamReport& r) {
  std::string out = fmt::format("{} codes: {} items, depth {}{}{}\n", stream_name(r.stream), r.items, r.levels.size(),
                                r.stale ? "  (the vectors changed since: build again)" : "",
                                r.sealed ? "" : "  (made elsewhere: no digest, damage would go unseen)");
  out += "  level  clusters     children        items  within-cluster cosine  (random codes)\n";
  for (std::size_t l = 0; l < r.levels.size(); ++l) {
    const LevelReport& v = r.levels[l];
    const std::string cosine = v.items_max < 2 ? "one item each" : fmt::format("{:.4f}", v.similarity);
    const std::string chance = v.items_max < 2 ? "" : fmt::format("{:.4f}", v.random_similarity);
    out += fmt::format("  {:>5}  {:>8}  {:>5}..{:<5} {:>5}..{:<6} {:>20}  {:>14}\n", l + 1, v.clusters, v.children_min,
                       v.children_max, v.items_min, v.items_max, cosine, chance);
  }
  for (const ClusterSample& s : r.samples) {
    out += fmt::format("  cluster {} of {} items\n", s.code, s.items);
    for (const std::string& title : s.titles) out += fmt::format("    {}\n", title);
  }
  return out;
}

nlohmann::json to_json(const StreamReport& r) {
  nlohmann::json out{{"stream", stream_name(r.stream)},   {"items", r.items}, {"width", r.width},
                     {"depth", r.levels.size()},          {"stale", r.stale}, {"sealed", r.sealed},
                     {"levels", nlohmann::json::array()},
                     {"samples", nlohmann::json::array()}};
  for (const LevelReport& v : r.levels)
    out["levels"].push_back({{"clusters", v.clusters},
                             {"children_min", v.children_min},
                             {"children_max", v.children_max},
                             {"items_min", v.items_min},
                             {"items_max", v.items_max},
                             {"similarity", v.similarity},
                             {"random_similarity", v.random_similarity}});
  for (const ClusterSample& s : r.samples)
    out["samples"].push_back({{"code", s.code}, {"items", s.items}, {"titles", s.titles}});
  return out;
}

}  // namespace dyad::codes
