// Balanced k-means: exact balance, optimal assignment, determinism, products, principal components.
#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include "common/base/random.h"
#include "tools/prepare/codes/balanced_assign.h"
#include "tools/prepare/codes/kmeans.h"
#include "tools/prepare/codes/similarity.h"
#include "tools/prepare/codes/vectors.h"

namespace dyad::codes {
namespace {

Matrix random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  KeyedRandom random(seed);
  Matrix out(rows, cols);
  for (float& x : out.values) x = static_cast<float>(random.normal());
  return out;
}

// Items around `topics` centres, more of them at the first: natural clusters of unequal size.
Matrix clustered(std::size_t items, std::size_t cols, std::size_t topics, std::uint64_t seed) {
  const Matrix centre = random_matrix(topics, cols, seed);
  Matrix out = random_matrix(items, cols, seed + 1);
  KeyedRandom random(seed + 2);
  for (std::size_t i = 0; i < items; ++i) {
    const auto t = std::min(random.below(topics), random.below(topics));
    for (std::size_t j = 0; j < cols; ++j) out.row(i)[j] = centre.row(t)[j] + 0.5f * out.row(i)[j];
  }
  normalise(out, seed);
  return out;
}

std::vector<std::size_t> sizes_of(const std::vector<std::uint32_t>& cluster, std::size_t k) {
  std::vector<std::size_t> out(k);
  for (const auto c : cluster) ++out[c];
  return out;
}

double total(const Matrix& items, const Matrix& centres, const std::vector<std::uint32_t>& cluster) {
  double sum = 0;
  for (std::size_t i = 0; i < items.rows; ++i)
    sum += std::inner_product(items.row(i), items.row(i) + items.cols, centres.row(cluster[i]), 0.0);
  return sum;
}

TEST(Similarity, ProductsEqualThePlainSum) {
  for (const auto& [n, k, d] : {std::tuple{1, 1, 1}, {7, 3, 5}, {50, 17, 33}, {97, 40, 128}}) {
    const Matrix items = random_matrix(n, d, 1), centres = random_matrix(k, d, 2);
    const PackedCentres packed(centres);
    std::vector<float> out(n * packed.stride());
    packed.products(items, 0, n, out.data());
    for (int i = 0; i < n; ++i)
      for (int c = 0; c < k; ++c)
        EXPECT_NEAR(out[i * packed.stride() + c],
                    std::inner_product(items.row(i), items.row(i) + d, centres.row(c), 0.0), 1e-3);
  }
}

// The optimum by trying every assignment of 7 items to 3 clusters of sizes 3, 2, 2 in any order.
TEST(BalancedAssign, FindsTheOptimumOfSmallProblems) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Matrix items = random_matrix(7, 4, seed), centres = random_matrix(3, 4, seed + 1000);
    double best = -1e9;
    for (int code = 0; code < 2187; ++code) {
      std::vector<std::uint32_t> cluster(7);
      for (int i = 0, rest = code; i < 7; ++i, rest /= 3) cluster[i] = rest % 3;
      const auto sizes = sizes_of(cluster, 3);
      if (*std::min_element(sizes.begin(), sizes.end()) == 2) best = std::max(best, total(items, centres, cluster));
    }
    std::vector<float> prices(3);
    const auto found =
        assign_balanced(find_candidates(items, centres, prices, Keep::kAllIfSmall, 1), items, centres, prices, 30, 1);
    const auto sizes = sizes_of(found.cluster, 3);
    EXPECT_EQ(*std::min_element(sizes.begin(), sizes.end()), 2u);
    EXPECT_EQ(*std::max_element(sizes.begin(), sizes.end()), 3u);
    EXPECT_NEAR(found.similarity, total(items, centres, found.cluster), 1e-4);
    EXPECT_GE(found.similarity, best - 1e-4) << "seed " << seed;
  }
}

TEST(BalancedAssign, BeatsTheGreedyPassWithCapacity) {
  const std::size_t k = 32;
  const Matrix items = clustered(1000, 16, 10, 5), centres = clustered(k, 16, 10, 5);
  std::vector<float> prices(k);
  const auto candidates = find_candidates(items, centres, prices, Keep::kAllIfSmall, 1);
  const auto ours = assign_balanced(candidates, items, centres, prices, 40, 1);
  // greedy: the item whose best and second centre differ most takes its turn first
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t i = 0; i < items.rows; ++i) {
    std::vector<float> s(candidates.similarities(i).begin(), candidates.similarities(i).end());
    std::sort(s.rbegin(), s.rend());
    order.emplace_back(s[1] - s[0], i);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> left(k, (items.rows + k - 1) / k);
  double greedy = 0;
  for (const auto& [_, i] : order) {
    std::size_t best = k;
    const auto s = candidates.similarities(i);
    for (std::size_t c = 0; c < k; ++c) if (left[c] && (best == k || s[c] > s[best])) best = c;
    --left[best];
    greedy += s[best];
  }
  EXPECT_GT(ours.similarity, greedy);
}

TEST(BalancedAssign, EqualItemsAreSplitEvenlyToo) {
  Matrix items(500, 8);
  for (std::size_t i = 0; i < items.rows; ++i) items.row(i)[0] = 1;   // all the same
  const Matrix centres = random_matrix(16, 8, 3);
  std::vector<float> prices(16);
  const auto found =
      assign_balanced(find_candidates(items, centres, prices, Keep::kAllIfSmall, 1), items, centres, prices, 20, 1);
  const auto sizes = sizes_of(found.cluster, 16);
  EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 31u);
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 32u);
}

TEST(HierarchicalCodes, DepthIsTheLeastThatHoldsAllItems) {
  EXPECT_EQ(depth_of(1, 256), 1u);
  EXPECT_EQ(depth_of(256, 256), 1u);
  EXPECT_EQ(depth_of(257, 256), 2u);
  EXPECT_EQ(depth_of(12101, 256), 2u);
  EXPECT_EQ(depth_of(65537, 256), 3u);
}

TEST(HierarchicalCodes, EveryItemHasOnePathAndSiblingsDifferByAtMostOne) {
  for (const auto& [items, k] : {std::pair{1000u, 8u}, {65u, 8u}, {512u, 8u}, {513u, 8u}, {5u, 8u}, {1u, 8u}}) {
    const Matrix rows = clustered(items, 12, 7, 9);
    const Codes codes = hierarchical_codes(rows, {.k = k});
    std::set<std::vector<std::int32_t>> paths;
    for (std::size_t l = 0; l < codes.levels; ++l) {
      std::map<std::vector<std::int32_t>, std::map<std::int32_t, std::size_t>> children;
      for (std::size_t i = 0; i < items; ++i) {
        const auto* path = codes.values.data() + i * codes.levels;
        ++children[{path, path + l}][path[l]];
        if (l + 1 == codes.levels) paths.emplace(path, path + l + 1);
      }
      for (const auto& [prefix, sizes] : children) {
        std::size_t least = items, most = 0;
        for (const auto& [code, n] : sizes) { least = std::min(least, n); most = std::max(most, n); }
        EXPECT_LE(most - least, 1u);
        EXPECT_LE(sizes.rbegin()->first, static_cast<std::int32_t>(k) - 1);
        EXPECT_EQ(sizes.rbegin()->first, static_cast<std::int32_t>(sizes.size()) - 1);   // codes without gaps
      }
    }
    EXPECT_EQ(paths.size(), items);
  }
}

TEST(HierarchicalCodes, DependOnTheSeedAndNotOnTheThreads) {
  const Matrix rows = clustered(3000, 16, 20, 4);
  const auto one = hierarchical_codes(rows, {.k = 16, .seed = 3, .threads = 1});
  const auto three = hierarchical_codes(rows, {.k = 16, .seed = 3, .threads = 3});
  const auto other = hierarchical_codes(rows, {.k = 16, .seed = 4, .threads = 1});
  EXPECT_EQ(one.levels, 3u);
  EXPECT_EQ(one.values, three.values);
  EXPECT_NE(one.values, other.values);
}

// More rows than "all candidates" serves: the path that keeps a few candidates an item.
TEST(HierarchicalCodes, ManyItemsKeepFewCandidatesAndStillBalance) {
  const Matrix rows = clustered(66000, 4, 50, 6);
  const auto cluster = balanced_kmeans(rows, {.k = 256, .rounds = 3, .threads = 2});
  const auto sizes = sizes_of(cluster, 256);
  EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 257u);
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 258u);
}

TEST(PrincipalComponents, KeepTheLengthOfRowsThatLieInThem) {
  Matrix flat = random_matrix(200, 3, 1);                        // rank 3, turned into 10 dimensions
  const Matrix turn = random_matrix(3, 10, 2);
  Matrix rows(200, 10);
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t j = 0; j < 10; ++j) rows.row(i)[j] += flat.row(i)[a] * turn.row(a)[j];
  centre(rows);
  const Matrix reduced = principal_components(rows, 3, 1, 2);
  for (std::size_t i = 0; i < 200; ++i) {
    const double before = std::inner_product(rows.row(i), rows.row(i) + 10, rows.row(i), 0.0);
    const double after = std::inner_product(reduced.row(i), reduced.row(i) + 3, reduced.row(i), 0.0);
    EXPECT_NEAR(after, before, 1e-3 * before + 1e-4);
  }
}

TEST(Normalise, GivesUnitRowsAndTellsEqualRowsApart) {
  Matrix rows(3, 4);
  rows.row(0)[1] = rows.row(1)[1] = 5;                           // row 2 is zero
  normalise(rows, 1);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(std::inner_product(rows.row(i), rows.row(i) + 4, rows.row(i), 0.0), 1, 1e-5);
  EXPECT_NE(std::vector<float>(rows.row(0), rows.row(0) + 4), std::vector<float>(rows.row(1), rows.row(1) + 4));
  EXPECT_GT(std::inner_product(rows.row(0), rows.row(0) + 4, rows.row(1), 0.0), 0.9999);
}

}  // namespace
}  // namespace dyad::codes
