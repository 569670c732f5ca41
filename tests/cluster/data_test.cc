// The dataset that a job reads: who needs which part of it, and what happens when a part is another than it was.
#include <gtest/gtest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include "common/base/result.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

nlohmann::json test_figures(const fs::path& checkpoint, const fs::path& data) {
  const auto file = scratch() / "figures.json";
  const Outcome outcome = run({program("dyad"), "eval", checkpoint.string(), "--data", data.string(), "--split", "test",
                               "--json", file.string()});
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  return nlohmann::json::parse(std::ifstream(file)).at("metrics");
}

TEST(ClusterData, VectorsAreReadByTrainingWithGctAndByNobodyElse) {
  const auto data = copy_of_dataset("no_vectors");
  fs::remove_all(data / "vectors");
  const std::string here = "job.data=" + data.string();
  const Outcome wanted = run(train_command(scratch() / "wants_vectors", {here}));
  EXPECT_EQ(wanted.code, static_cast<int>(Code::kNotFound)) << wanted.output;
  const auto without = trained("no_gct", {here, "model.gct=false"});
  EXPECT_FALSE(without.empty());
  EXPECT_GT(test_figures(without, data).at("fusion/recall@20").get<double>(), 0.0);
  EXPECT_EQ(test_figures(undisturbed(), data), test_figures(undisturbed(), small_dataset()));
  const Outcome few = run({program("dyad"), "recommend", undisturbed().string(), "--data", data.string(), "--user",
                           "u3", "--top", "3"});
  EXPECT_EQ(few.code, 0) << few.output;
}

}  // namespace
}  // namespace dyad::tests
