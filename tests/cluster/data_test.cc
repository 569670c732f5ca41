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
  EXPECT_NE(wanted.output.find("dyad encode"), std::string::npos) << wanted.output;
  const auto without = trained("no_gct", {here, "model.gct=false"});
  EXPECT_FALSE(without.empty());
  EXPECT_GT(test_figures(without, data).at("fusion/recall@20").get<double>(), 0.0);
  EXPECT_EQ(test_figures(undisturbed(), data), test_figures(undisturbed(), small_dataset()));
  const Outcome few = run({program("dyad"), "recommend", undisturbed().string(), "--data", data.string(), "--user",
                           "u3", "--top", "3"});
  EXPECT_EQ(few.code, 0) << few.output;
}

// A machine whose copy of the dataset is another: all would run, and the checkpoint be garbage.
TEST(ClusterData, ARankWithOtherDataThanTheCoordinatorIsRefusedByName) {
  const auto other = copy_of_dataset("other_codes");
  ASSERT_EQ(run({program("dyad"), "codes", "build", "--data", other.string(), "--k", "12", "--seed", "2"}).code, 0);
  const auto job = scratch() / "two_datasets";
  const auto config = write_job_file(job, {"servers.count=1"}).string();
  auto coordinator = start("coordinator", {program("dyad-coordinator"), "--config", config}, job / "coordinator.log");
  auto server = start("ps", {program("dyad-ps"), "--config", config, "--id", "0"}, job / "ps.log");
  const Outcome workers = run({"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
                               "-n", "1", program("dyad-worker"), "train", "--config", config, ":",
                               "-n", "1", program("dyad-worker"), "train", "--config", config,
                               "--set", "job.data=" + other.string()});
  EXPECT_EQ(workers.code, static_cast<int>(Code::kInvalid)) << workers.output;
  EXPECT_NE(workers.output.find("worker 1 on "), std::string::npos) << workers.output;
  for (const char* part : {"behaviour codes (", "semantic codes ("})
    EXPECT_NE(workers.output.find(part), std::string::npos) << workers.output;
  for (const char* part : {"log and catalogue (", "vectors ("})
    EXPECT_EQ(workers.output.find(part), std::string::npos) << workers.output;
  EXPECT_TRUE(last_checkpoint(job).empty());
  coordinator.kill();
  server.kill();
}

}  // namespace
}  // namespace dyad::tests
