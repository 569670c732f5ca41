// What a launcher answers for: its end is the end of all, a peer that is frozen stops nobody for long, what no restart
// can mend is said at once.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <chrono>
#include <map>
#include <thread>
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

constexpr auto kLauncherGone = std::chrono::seconds(3);      // what docs/operations.md promises
const Sets kFourEpochs{"checkpoint.every_steps=5", "train.epochs=4"};

const fs::path& undisturbed_four_epochs() {
  static const fs::path checkpoint = trained("launch_undisturbed4", {"train.epochs=4"});
  return checkpoint;
}

// Every file below a folder: its size and time.
std::map<std::string, std::string> state_of(const fs::path& folder) {
  std::map<std::string, std::string> state;
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(folder, gone))
    state[entry.path().string()] = std::to_string(entry.is_regular_file(gone) ? entry.file_size(gone) : 0) + " " +
                                   std::to_string(entry.last_write_time(gone).time_since_epoch().count());
  return state;
}

std::string text(const fs::path& file) {
  auto read = io::read_file(file);
  return read ? std::move(read.value()) : "";
}

void kill_launcher(ops::Child& launcher, const fs::path& job) {
  launcher.signal(SIGKILL);
  std::this_thread::sleep_for(kLauncherGone);
  std::string left;
  for (const pid_t pid : processes_of(job)) left += text("/proc/" + std::to_string(pid) + "/cmdline") + "\n";
  EXPECT_EQ(left, "");
  const auto then = state_of(job);
  std::this_thread::sleep_for(kLauncherGone);
  EXPECT_EQ(state_of(job), then) << "somebody still writes";
}

std::vector<std::string> on_a_slow_disk(std::vector<std::string> argv) {
  argv.insert(argv.begin(), {"env", "LD_PRELOAD=" DYAD_SLOW_DISK, "SLOW_DISK_MS=1200",
                             "ASAN_OPTIONS=verify_asan_link_order=0"});
  return argv;
}

bool is_being_cut(const fs::path& job) {
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(ckpt::checkpoints_dir(job), none))
    if (entry.path().filename().string().find(".rows") != std::string::npos) return true;
  return false;
}

TEST(ClusterLaunch, AKilledLauncherInACutTakesAllAlongAndAResumeChangesNothing) {
  const auto job = scratch() / "killed_in_a_cut";
  auto launcher = start("launcher", on_a_slow_disk(train_command(job, kFourEpochs)), scratch() / "killed_in_a_cut.log");
  ASSERT_TRUE(soon([&] { return is_being_cut(job); })) << ops::tail(launcher.log(), 20);
  ASSERT_TRUE(last_checkpoint(job).empty()) << "the cut is over";
  kill_launcher(launcher, job);
  const Outcome resumed = run(train_command(job, kFourEpochs, true), 200);
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
}

TEST(ClusterLaunch, AKilledLauncherTakesAllAlongInItsFirstMoments) {
  for (const int after_ms : {100, 700, 1500, 2500}) {
    const auto job = scratch() / ("killed_early" + std::to_string(after_ms));
    auto launcher = start("launcher", train_command(job, {"train.epochs=400"}), job.string() + ".log");
    ASSERT_TRUE(soon([&] { return fs::exists(job / "config.toml"); })) << ops::tail(launcher.log(), 20);
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    kill_launcher(launcher, job);
  }
}

TEST(ClusterLaunch, AKilledLauncherTakesTheEvaluatorAndItsRanksAlong) {
  const auto job = scratch() / "killed_in_evaluation";
  auto launcher = start("launcher", train_command(job, {"checkpoint.every_steps=5", "train.epochs=400", "eval.batch=1",
                                                        "eval.workers=2", "eval.during_training=true"}),
                        scratch() / "killed_in_evaluation.log");
  const std::string checkpoints = ckpt::checkpoints_dir(job).string();
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(launcher.log(), 20);
  ASSERT_TRUE(soon([&] { return process_of(checkpoints, program("dyad-worker")) > 0; })) << "no evaluation";
  kill_launcher(launcher, job);
}

TEST(ClusterLaunch, InsideAnAllocationOfASchedulerAJobOfThisMachineRuns) {
  const auto job = scratch() / "in_slurm";
  auto argv = train_command(job);
  argv.insert(argv.begin(), {"env", "SLURM_JOB_ID=7", "SLURM_JOBID=7", "SLURM_NODELIST=node[1-2]", "SLURM_NNODES=2",
                             "SLURM_TASKS_PER_NODE=1(x2)", "SLURM_JOB_NODELIST=node[1-2]", "PMIX_RANK=0",
                             "PMIX_NAMESPACE=slurm.7", "OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=9"});
  const Outcome outcome = run(argv);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

}  // namespace
}  // namespace dyad::tests
