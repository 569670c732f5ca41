// Memory that runs out: each program ends with its code and a word about it, never by a signal.
#include <gtest/gtest.h>
#include "common/base/result.h"
#include "common/io/atomic_file.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

constexpr int kOverloaded = static_cast<int>(Code::kOverloaded);

// The other threads of a rank may be inside MPI when its backward pass fails (MPI_Abort then waits for them).
TEST(ClusterMemory, ARankWhoseBackwardFailsWhileASumIsUnderWayEndsTheJobWithItsCode) {
  const auto job = scratch() / "failing_backward";
  auto argv = train_command(job, {"train.allreduce_bucket_mb=0.001"});
  argv.insert(argv.begin(), {"env", "LD_PRELOAD=" DYAD_FAILING_BACKWARD, "ASAN_OPTIONS=verify_asan_link_order=0"});
  argv.insert(argv.end(), {"--restarts", "0"});
  const Outcome outcome = run(argv, 60);
  EXPECT_EQ(outcome.code, kOverloaded) << outcome.output;
  EXPECT_NE(outcome.output.find("allocate memory"), std::string::npos) << outcome.output;
  EXPECT_TRUE(processes_of(job).empty());
}

// How a program ends that may have so much of the address space: code and what it said.
Outcome within(int kib, std::vector<std::string> argv, int most_s = 5) {
  argv.insert(argv.begin(), {"sh", "-c", "ulimit -c 0; ulimit -v \"$0\"; exec timeout " + std::to_string(most_s) +
                             " \"$@\"", std::to_string(kib)});
  return run(argv);
}

// From what the dynamic loader needs up to what is enough, in steps: wherever it runs out, it says so.
void says_so_wherever_it_runs_out(const std::vector<std::string>& argv, int first_kib, int last_kib, int step_kib) {
  constexpr int kNoLoader = 127, kLives = 124;           // libraries could not be mapped; timeout ended it
  bool was_short = false;
  for (int kib = first_kib; kib <= last_kib; kib += step_kib) {
    const Outcome outcome = within(kib, argv);
    if (outcome.code == kLives) break;
    if (outcome.code == kNoLoader) continue;
    EXPECT_EQ(outcome.code, kOverloaded) << kib << " KiB:\n" << outcome.output;
    was_short = true;
  }
  EXPECT_TRUE(was_short) << "no limit was too small";
}

TEST(ClusterMemory, ACoordinatorThatMayHaveTooLittleSaysSo) {
  const auto config = write_job_file(scratch() / "short_coordinator").string();
  says_so_wherever_it_runs_out({program("dyad-coordinator"), "--config", config}, 16'000, 60'000, 4'000);
}

TEST(ClusterMemory, AServerThatMayHaveTooLittleSaysSo) {
  const auto job = scratch() / "short_server";
  const auto config = write_job_file(job).string();
  auto coordinator = start("coordinator", {program("dyad-coordinator"), "--config", config}, job / "coordinator.log");
  ASSERT_TRUE(soon([&] { return fs::exists(job / "coordinator.json"); })) << ops::tail(coordinator.log(), 10);
  says_so_wherever_it_runs_out({program("dyad-ps"), "--config", config, "--id", "0"}, 16'000, 100'000, 6'000);
}

// A rank by itself, of a job of its own.
Outcome rank_within(int kib) {
  const auto job = scratch() / ("short_rank" + std::to_string(kib));
  const auto config = write_job_file(job, {"train.workers=1", "servers.count=1", "train.precision=fp32"}).string();
  auto coordinator = start("coordinator", {program("dyad-coordinator"), "--config", config}, job / "coordinator.log");
  auto server = start("ps", {program("dyad-ps"), "--config", config, "--id", "0"}, job / "ps.log");
  return within(kib, {program("dyad-worker"), "train", "--config", config}, 30);
}

// Below what the loader and LibTorch's own beginning need nothing of ours runs: from there on.
TEST(ClusterMemory, ARankThatMayHaveTooLittleSaysSo) {
  constexpr int kStep = 20'000, kMost = 8'000'000;
  int kib = 200'000;
  while (kib < kMost && within(kib, {program("dyad-worker"), "--version"}).code != 0) kib += kStep;
  bool was_short = false, is_enough = false;
  for (kib += kStep; kib < kMost && !is_enough; kib += kStep) {
    const Outcome outcome = rank_within(kib);
    is_enough = outcome.code == 0;
    if (is_enough) continue;
    EXPECT_EQ(outcome.code, kOverloaded) << kib << " KiB:\n" << outcome.output;
    was_short = true;
  }
  EXPECT_TRUE(was_short) << "no limit was too small";
  EXPECT_TRUE(is_enough);
}

}  // namespace
}  // namespace dyad::tests
