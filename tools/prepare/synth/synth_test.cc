#include "tools/prepare/synth/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <numeric>
#include "common/data/dataset.h"
#include "common/data/test_times.h"
#include "common/io/matrix.h"
#include "common/io/safetensors.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/synth/item_world.h"

namespace dyad::synth {
namespace {

using testing::HasSubstr;

data::Dataset make(const io::TempFolder& folder, Options options) {
  options.out = folder / "d";
  options.force = true;
  CHECK(run(options).has_value());
  return data::Dataset::open(options.out).value();
}

// The share of steps that stay in the cluster of the item before.
double share_that_stays(const data::Dataset& dataset, const ItemWorld& world) {
  double same = 0, steps = 0;
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const auto sequence = dataset.sequence(UserId{u});
    for (std::size_t i = 1; i < sequence.size(); ++i, ++steps)
      same += world.cluster(sequence[i]) == world.cluster(sequence[i - 1]);
  }
  return same / steps;
}

TEST(Synth, GivesExactlyWhatWasAskedFor) {
  const io::TempFolder folder;
  const data::Dataset dataset = make(folder, {.users = 777, .items = 333, .events = 12'345, .seed = 4});
  EXPECT_EQ(dataset.users(), 777u);
  EXPECT_EQ(dataset.items(), 333u);
  EXPECT_EQ(dataset.events(), 12'345u);
  for (const auto& times : data::times_of_users(dataset)) {
    ASSERT_GE(times.size(), 5u);
    ASSERT_TRUE(std::is_sorted(times.begin(), times.end()));
  }
}

TEST(Synth, FewerEventsThanUsersLeaveSomeUsersEmpty) {
  const io::TempFolder folder;
  const data::Dataset dataset = make(folder, {.users = 10, .items = 3, .events = 4});
  EXPECT_EQ(dataset.events(), 4u);
  EXPECT_EQ(dataset.users(), 10u);
}

TEST(Synth, IsAFunctionOfItsOptions) {
  const io::TempFolder folder;
  const Options options{.users = 100, .items = 100, .events = 2000, .seed = 4};
  Options other = options;
  other.seed = 5;
  const std::uint64_t digest = make(folder, options).digest();
  EXPECT_EQ(make(folder, options).digest(), digest);
  EXPECT_NE(make(folder, other).digest(), digest);
}

TEST(Synth, PopularityFollowsZipf) {
  const io::TempFolder folder;
  const auto share_of_top_tenth = [&](double zipf) {
    const data::Dataset dataset = make(folder, {.users = 500, .items = 1000, .events = 30'000, .zipf = zipf});
    std::vector<std::uint64_t> count(1000);
    for (std::uint32_t u = 0; u < 500; ++u)
      for (const ItemId item : dataset.sequence(UserId{u})) ++count[item.value];
    std::sort(count.rbegin(), count.rend());
    return static_cast<double>(std::accumulate(count.begin(), count.begin() + 100, 0ull)) / 30'000;
  };
  EXPECT_LT(share_of_top_tenth(0), 0.2);
  EXPECT_GT(share_of_top_tenth(1.2), 0.4);
}

TEST(Synth, UsersStayInTheirClustersUnlessTheyDrift) {
  const io::TempFolder folder;
  const Options still{.users = 300, .items = 600, .events = 9000, .seed = 2, .drift = 0, .clusters = 20};
  Options drifting = still;
  drifting.drift = 1;
  const ItemWorld world(600, 20, 1.0, 2);
  EXPECT_GT(share_that_stays(make(folder, still), world), 0.8);
  EXPECT_LT(share_that_stays(make(folder, drifting), world), 0.3);
}

TEST(Synth, TextAndVectorsTellTheCluster) {
  const io::TempFolder folder;
  const data::Dataset dataset =
      make(folder, {.users = 10, .items = 200, .events = 100, .seed = 2, .clusters = 8, .vectors = 48});
  const io::Matrix vectors = io::load_matrix(folder / "d/vectors/semantic.safetensors", "embedding").value();
  ASSERT_EQ(vectors.rows, 200u);
  const ItemWorld world(200, 8, 1.0, 2);
  double same = 0, other = 0, n_same = 0, n_other = 0;
  for (std::uint32_t a = 0; a < 200; ++a)
    for (std::uint32_t b = 0; b < a; ++b) {
      const double dot = std::inner_product(vectors.row(a).begin(), vectors.row(a).end(), vectors.row(b).begin(), 0.0);
      const bool together = world.cluster(ItemId{a}) == world.cluster(ItemId{b});
      (together ? same : other) += dot;
      ++(together ? n_same : n_other);
      if (together) { EXPECT_EQ(dataset.item(ItemId{a}).categories, dataset.item(ItemId{b}).categories); }
    }
  EXPECT_GT(same / n_same, 0.7);
  EXPECT_LT(other / n_other, 0.1);
}

TEST(Synth, OptionsThatMakeNoSenseAreRefused) {
  const io::TempFolder folder;
  for (const Options& bad :
       {Options{.users = 0}, Options{.drift = 1.5}, Options{.items = 5, .clusters = 6}, Options{.zipf = -1}}) {
    Options options = bad;
    options.out = folder / "d";
    EXPECT_EQ(run(options).error().code, Code::kInvalid);
    EXPECT_THAT(run(options).error().message, HasSubstr("synth: "));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace dyad::synth
