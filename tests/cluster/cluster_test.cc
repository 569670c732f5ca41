// Determinism is the oracle: whatever happens to a sync job, its last checkpoint has the bytes of the undisturbed run.
#include <gtest/gtest.h>
#include <signal.h>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>
#include "common/ckpt/manifest.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;
using Sets = std::vector<std::string>;

// Runs a job to its end and gives its last checkpoint.
fs::path trained(const std::string& name, const Sets& sets = {}) {
  const auto job = scratch() / name;
  const Outcome outcome = run(train_command(job, sets));
  EXPECT_EQ(outcome.code, 0) << name << ":\n" << outcome.output;
  return last_checkpoint(job);
}

const fs::path& undisturbed() {
  static const fs::path checkpoint = trained("undisturbed");
  return checkpoint;
}

// The first process of a job whose command line holds `part`.
pid_t process_of(const fs::path& job, const std::string& part) {
  for (const pid_t pid : processes_of(job)) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.starts_with(part) || line.find("/" + part) != std::string::npos) return pid;
  }
  return 0;
}

// Starts a job that checkpoints every 5 steps, kills one of its processes after the first checkpoint, and lets the
// launcher bring it to its end.
fs::path trained_with_a_kill(const std::string& name, const std::string& victim) {
  const auto job = scratch() / name;
  auto child =
      start(name, train_command(job, {"checkpoint.every_steps=5", "train.epochs=4"}), scratch() / (name + ".log"));
  EXPECT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  const pid_t pid = process_of(job, victim);
  EXPECT_GT(pid, 0) << "no process " << victim;
  if (pid > 0) ::kill(pid, SIGKILL);
  EXPECT_TRUE(child.wait_for(100'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), 0) << ops::tail(child.log(), 20);
  EXPECT_NE(ops::tail(child.log(), 200).find("restart 1"), std::string::npos) << "the kill went unnoticed";
  return last_checkpoint(job);
}

const fs::path& undisturbed_four_epochs() {
  static const fs::path checkpoint = trained("undisturbed4", {"train.epochs=4"});
  return checkpoint;
}

TEST(Cluster, TheSameJobTwiceGivesTheSameBytes) { EXPECT_EQ(difference(undisturbed(), trained("again")), ""); }

TEST(Cluster, OneServerAndThreeServersGiveTheSameBytes) {
  EXPECT_EQ(difference(undisturbed(), trained("one_server", {"servers.count=1"})), "");
  EXPECT_EQ(difference(undisturbed(), trained("three_servers", {"servers.count=3", "servers.threads=2"})), "");
}

TEST(Cluster, AnotherSeedGivesOtherBytes) { EXPECT_NE(difference(undisturbed(), trained("seed", {"job.seed=2"})), ""); }

TEST(Cluster, StoppedAndResumedOnAnotherNumberOfServersIsAsIfNeverStopped) {
  const auto job = scratch() / "stopped";
  auto child = start("stopped", train_command(job, {"checkpoint.every_steps=3"}), scratch() / "stopped.log");
  ASSERT_TRUE(wait_for_step(job, 3)) << ops::tail(child.log(), 20);
  child.signal(SIGINT);
  ASSERT_TRUE(child.wait_for(60'000));
  EXPECT_EQ(child.poll(), 0) << ops::tail(child.log(), 20);
  EXPECT_TRUE(processes_of(job).empty()) << "Ctrl-C left processes behind";
  const auto middle = last_checkpoint(job);
  ASSERT_NE(middle.filename(), undisturbed().filename()) << "the job was done before it was stopped";
  const Outcome resumed = run(train_command(job, {"checkpoint.every_steps=3", "servers.count=3"}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

TEST(Cluster, AKilledServerChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("killed_server", "dyad-ps")), "");
}
TEST(Cluster, AKilledWorkerChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("killed_worker", "dyad-worker")), "");
}
TEST(Cluster, AKilledCoordinatorChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("killed_coordinator", "dyad-coordinator")), "");
}

TEST(Cluster, ADamagedCheckpointIsNamedAndSkipped) {
  const auto job = scratch() / "damaged";
  const Outcome first = run(train_command(job, {"checkpoint.every_steps=4"}));
  ASSERT_EQ(first.code, 0) << first.output;
  const auto last = last_checkpoint(job);
  const auto dense = last / "dense.safetensors";
  fs::resize_file(dense, fs::file_size(dense) / 2);
  const Outcome verify = run({program("dyad"), "ckpt", "verify", last.string()});
  EXPECT_EQ(verify.code, 2);
  EXPECT_NE(verify.output.find("dense.safetensors"), std::string::npos) << verify.output;
  const Outcome resumed = run(train_command(job, {"checkpoint.every_steps=4"}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

TEST(Cluster, ResumingWithOtherKeysIsRefused) {
  ASSERT_FALSE(undisturbed().empty());
  const Outcome outcome = run(train_command(scratch() / "undisturbed", {"model.dim=32"}, true));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("config.toml"), std::string::npos) << outcome.output;
}

TEST(Cluster, BoundedAndUnboundedStalenessReachTheEnd) {
  EXPECT_FALSE(trained("ssp", {"train.mode=ssp", "train.staleness=2"}).empty());
  EXPECT_FALSE(trained("async", {"train.mode=async"}).empty());
}

// The way a cluster runs it: coordinator and servers started apart, the workers by mpirun from the same file.
TEST(Cluster, PartsStartedByHandGiveTheSameBytes) {
  const auto job = scratch() / "apart";
  fs::create_directories(job);
  auto argv = train_command(job);
  argv[1] = "config";
  const Outcome resolved = run(argv);
  ASSERT_EQ(resolved.code, 0) << resolved.output;
  const auto config = (job / "job.toml").string();
  std::ofstream(config) << resolved.output;
  auto coordinator = start("coordinator", {program("dyad-coordinator"), "--config", config}, job / "coordinator.log");
  std::vector<ops::Child> servers;
  for (const char* id : {"1", "0"})
    servers.push_back(
        start("ps", {program("dyad-ps"), "--config", config, "--id", id}, job / ("ps" + std::string(id) + ".log")));
  const Outcome workers = run({"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", "2",
                               program("dyad-worker"), "train", "--config", config});
  EXPECT_EQ(workers.code, 0) << workers.output;
  EXPECT_TRUE(coordinator.wait_for(20'000)) << ops::tail(coordinator.log(), 10);
  for (auto& server : servers) EXPECT_TRUE(server.wait_for(20'000)) << ops::tail(server.log(), 10);
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

}  // namespace
}  // namespace dyad::tests
