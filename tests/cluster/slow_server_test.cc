// Servers on a slow disk: loading, writing, and told to leave while they do.
#include <gtest/gtest.h>
#include <signal.h>
#include <chrono>
#include "common/ckpt/manifest.h"
#include "ops/command.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> on_slow_disk(std::vector<std::string> argv, const std::string& how_slow) {
  argv.insert(argv.begin(),
              {"env", "LD_PRELOAD=" DYAD_SLOW_DISK, how_slow, "ASAN_OPTIONS=verify_asan_link_order=0"});
  return argv;
}

bool a_server_writes(const fs::path& job) {
  std::error_code gone;
  for (fs::recursive_directory_iterator at(job / "checkpoints", gone), end; !gone && at != end; at.increment(gone))
    if (at->path().filename().string().find(".rows") != std::string::npos) return true;
  return false;
}

// Each of a server's files takes 3 s to load: with this disk loading takes longer than a peer may be silent.
TEST(Cluster, AResumeWhoseRowsLoadLongerThanAPeerMayBeSilentGoesOn) {
  const auto job = scratch() / "slow_load";
  const Outcome first = run(train_command(job, {"train.max_steps=17"}));
  ASSERT_EQ(first.code, 0) << first.output;
  const auto start = std::chrono::steady_clock::now();
  const Outcome resumed =
      run(on_slow_disk(train_command(job, {"servers.timeout_ms=5000"}, true), "SLOW_LOAD_MS=3000"), 200);
  EXPECT_GT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "the disk was not slow";
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(resumed.output.find("restart"), std::string::npos) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

TEST(Cluster, AKilledLauncherLeavesNoServerThatLoadsOrWrites) {
  const auto job = scratch() / "slow_left";
  const auto gone_in_time = [&](ops::Child& child) {
    child.signal(SIGKILL);
    const auto start = std::chrono::steady_clock::now();
    while (process_of(job, program("dyad-ps")) > 0 &&
           std::chrono::steady_clock::now() - start < std::chrono::seconds(30))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(6)) << ops::tail(child.log(), 20);
  };
  const Outcome first = run(train_command(job, {"train.max_steps=17"}));
  ASSERT_EQ(first.code, 0) << first.output;
  auto loading = start("slow_left_loading", on_slow_disk(train_command(job, {}, true), "SLOW_LOAD_MS=20000"),
                       scratch() / "slow_left_loading.log");
  std::this_thread::sleep_for(std::chrono::seconds(8));
  ASSERT_FALSE(loading.poll()) << ops::tail(loading.log(), 20);
  gone_in_time(loading);
  fs::remove_all(job);
  auto writing = start("slow_left_writing",
                       on_slow_disk(train_command(job, {"checkpoint.every_steps=5"}), "SLOW_DISK_MS=20000"),
                       scratch() / "slow_left_writing.log");
  for (int i = 0; i < 600 && !a_server_writes(job); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_TRUE(a_server_writes(job)) << ops::tail(writing.log(), 20);
  gone_in_time(writing);
}

}  // namespace
}  // namespace dyad::tests
