// The dataset that a job reads: who needs which part of it, and what happens when a part is another than it was.
#include <gtest/gtest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include "common/base/result.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/io/matrix.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

nlohmann::json test_figures(const fs::path& checkpoint, const fs::path& data) {
  const auto file = scratch() / "figures.json";
  const Outcome outcome = run({program("dyad"), "eval", checkpoint.string(), "--data", data.string(), "--split", "test",
                               "--output", file.string()});
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

// A flipped bit in the codes meant other items, and the manifest pinned the damaged digest.
TEST(ClusterData, AFlippedBitInAFileOfTheDatasetStopsWhoeverReadsIt) {
  const auto data = copy_of_dataset("flipped");
  const auto dyad = program("dyad"), here = data.string(), checkpoint = undisturbed().string();
  const auto refused = [&](const std::string& file, std::vector<std::string> argv) {
    const Outcome outcome = run(std::move(argv));
    EXPECT_EQ(outcome.code, static_cast<int>(Code::kInvalid)) << file << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(file), std::string::npos) << outcome.output;
  };
  for (const std::string file : {"codes/semantic.safetensors", "vectors/behaviour.safetensors", "catalogue.jsonl"}) {
    const std::string whole = io::read_file(data / file).value();
    std::string bytes = whole;
    bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 1);
    ASSERT_TRUE(io::write_file_atomic(data / file, bytes).has_value());
    refused(file, train_command(scratch() / "flipped_job", {"job.data=" + here}));
    refused(file, {dyad, "codes", "report", "--data", here});
    if (file.starts_with("vectors")) refused(file, {dyad, "codes", "build", "--data", here, "--k", "12"});
    if (!file.starts_with("vectors")) {
      refused(file, {dyad, "eval", checkpoint, "--data", here});
      refused(file, {dyad, "recommend", checkpoint, "--data", here, "--user", "u3"});
    }
    ASSERT_TRUE(io::write_file_atomic(data / file, whole).has_value());
  }
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
  for (const char* part : {"behaviour codes", "semantic codes"})
    EXPECT_NE(workers.output.find(part), std::string::npos) << workers.output;
  for (const char* part : {"log and catalogue", "vectors"})
    EXPECT_EQ(workers.output.find(part), std::string::npos) << workers.output;
  EXPECT_TRUE(last_checkpoint(job).empty());
  coordinator.kill();
  server.kill();
}

// Writes a stream's vectors anew, with another first float; same shape.
void alter_vectors(const fs::path& data, const std::string& stream) {
  const auto file = data / "vectors" / (stream + ".safetensors");
  auto matrix = io::load_matrix(file, "embedding").value();
  matrix.values[0] += 1;
  const auto tensor = io::make_tensor<float>({matrix.rows, matrix.cols}, matrix.values);
  ASSERT_TRUE(io::write_safetensors(file, {{"embedding", tensor}}).has_value());
}

TEST(ClusterData, ResumingWithOtherVectorsIsRefusedByName) {
  const auto data = copy_of_dataset("other_vectors");
  const auto job = scratch() / "resumed_on_others";
  const std::string here = "job.data=" + data.string();
  const Outcome first = run(train_command(job, {here, "train.max_steps=5"}));
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_EQ(ckpt::read_manifest(last_checkpoint(job)).value().vectors.size(), 2u);
  alter_vectors(data, "semantic");
  const Outcome refused = run(train_command(job, {here}, true));
  EXPECT_EQ(refused.code, static_cast<int>(Code::kInvalid)) << refused.output;
  EXPECT_NE(refused.output.find("towards other item vectors than those of job.data: semantic ("), std::string::npos)
      << refused.output;
  fs::copy_file(small_dataset() / "vectors/semantic.safetensors", data / "vectors/semantic.safetensors",
                fs::copy_options::overwrite_existing);
  const Outcome resumed = run(train_command(job, {here}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

// `dyad encode` after `dyad codes build`.
TEST(ClusterData, CodesThatWereBuiltFromOtherVectorsNeedAWord) {
  const auto data = copy_of_dataset("stale");
  alter_vectors(data, "behaviour");
  const std::string here = "job.data=" + data.string(), few = "train.max_steps=2";
  const Outcome refused = run(train_command(scratch() / "stale_codes", {here, few}));
  EXPECT_EQ(refused.code, static_cast<int>(Code::kInvalid)) << refused.output;
  EXPECT_NE(refused.output.find("the behaviour codes were built from other vectors"), std::string::npos)
      << refused.output;
  EXPECT_NE(refused.output.find("dyad codes build"), std::string::npos) << refused.output;
  const auto meant = trained("stale_codes", {here, few, "job.stale_codes=true"});
  EXPECT_FALSE(meant.empty());
  EXPECT_FALSE(trained("stale_no_gct", {here, few, "model.gct=false"}).empty());
  const Outcome resumed = run(train_command(scratch() / "stale_codes", {here, "train.max_steps=4"}, true));
  EXPECT_EQ(resumed.code, 0) << "it was begun so: " << resumed.output;
}

}  // namespace
}  // namespace dyad::tests
