// What a launcher answers for: its end is the end of all, a peer that is frozen stops nobody for long, what no restart
// can mend is said at once.
#include <gtest/gtest.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "ops/command.h"
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

// --set wins over the environment, also in the programs that `dyad train` starts and that read the file it wrote.
TEST(ClusterLaunch, TheEnvironmentDoesNotReachPastTheFileThatTheLauncherWrote) {
  const auto job = scratch() / "environment";
  auto argv = train_command(job, {"train.max_steps=4"});
  argv.insert(argv.begin(), {"env", "DYAD_TRAIN_MAX_STEPS=7", "DYAD_CHECKPOINT_EVERY_STEPS=2"});
  const Outcome ended = run(argv);
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_EQ(last_checkpoint(job).filename(), "step-0000000004");
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

// Its connections live on, so only the coordinator can tell: servers.timeout_ms is far away.
void freezes_and_goes_on(const std::string& name, const std::string& victim) {
  const auto job = scratch() / name;
  Sets sets = kFourEpochs;
  sets.insert(sets.end(), {"coordinator.dead_after_ms=4000", "servers.timeout_ms=200000"});
  auto launcher = start(name, train_command(job, sets), scratch() / (name + ".log"));
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(launcher.log(), 20);
  const pid_t pid = process_of(job, victim);
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  const double stopped_s = steady_now_s();
  EXPECT_TRUE(soon([&] { return text(launcher.log()).find("restart 1") != std::string::npos; }))
      << ops::tail(launcher.log(), 20);
  testing::Test::RecordProperty("seconds", std::to_string(steady_now_s() - stopped_s));
  EXPECT_TRUE(launcher.wait_for(150'000)) << ops::tail(launcher.log(), 20);
  EXPECT_EQ(launcher.poll(), 0) << ops::tail(launcher.log(), 20);
  EXPECT_NE(text(launcher.log()).find("ended with code 4"), std::string::npos) << ops::tail(launcher.log(), 20);
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
  EXPECT_TRUE(processes_of(job).empty());
}

TEST(ClusterLaunch, AFrozenRankChangesNothing) { freezes_and_goes_on("frozen_rank", program("dyad-worker")); }
TEST(ClusterLaunch, AFrozenServerChangesNothing) { freezes_and_goes_on("frozen_server", "dyad-ps"); }

// Without a launcher of ours: ranks under a bare mpirun, the rest by hand.
TEST(ClusterLaunch, OfPartsStartedByHandAllLeaveWithCode4WhenARankFreezes) {
  const auto job = scratch() / "frozen_apart";
  const auto config = write_job_file(job, {"train.epochs=400", "coordinator.dead_after_ms=4000",
                                           "servers.timeout_ms=200000"}).string();
  auto coordinator = start("coordinator", {program("dyad-coordinator"), "--config", config}, job / "coordinator.log");
  std::vector<ops::Child> servers;
  for (const char* id : {"0", "1"})
    servers.push_back(start("ps", {program("dyad-ps"), "--config", config, "--id", id}, job / "ps.log"));
  auto ranks = start("ranks", {"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", "2",
                               program("dyad-worker"), "train", "--config", config}, job / "ranks.log");
  ASSERT_TRUE(wait_for_step(job, 1)) << ops::tail(ranks.log(), 10);
  const pid_t victim = process_of(job, program("dyad-worker"));
  ASSERT_GT(victim, 0);
  ASSERT_EQ(::kill(victim, SIGSTOP), 0);
  EXPECT_TRUE(ranks.wait_for(30'000)) << ops::tail(ranks.log(), 10);
  EXPECT_EQ(ranks.poll(), static_cast<int>(Code::kStale)) << ops::tail(ranks.log(), 20);
  for (auto& server : servers) {
    EXPECT_TRUE(server.wait_for(20'000)) << ops::tail(server.log(), 10);
    EXPECT_EQ(server.poll(), static_cast<int>(Code::kStale)) << ops::tail(server.log(), 10);
  }
  EXPECT_FALSE(process_of(job, program("dyad-worker"))) << "the frozen one is left";
}

void is_refused_at_once(const Outcome& outcome, const std::string& why) {
  EXPECT_EQ(outcome.code, static_cast<int>(Code::kInvalid)) << outcome.output;
  EXPECT_NE(outcome.output.find(why), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("starting the job again"), std::string::npos) << outcome.output;
}

TEST(ClusterLaunch, WhatNoRestartCanMendIsSaidAtOnceWithCode2) {
  if (!fs::exists("/dev/nvidia0")) {
    const auto job = scratch() / "no_gpu";
    is_refused_at_once(run(train_command(job, {"train.device=cuda"})), "train.device = \"cuda\"");
    EXPECT_FALSE(fs::exists(job / "logs" / "coordinator.log")) << "nothing needed to be started";
  }
  is_refused_at_once(run(train_command(scratch() / "one_port", {"servers.bind=tcp://127.0.0.1:40123"})),
                     "servers.bind");
  const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const std::string bind = "tcp://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  is_refused_at_once(run(train_command(scratch() / "taken", {"servers.count=1", "servers.bind=" + bind})), bind);
  is_refused_at_once(run(train_command(scratch() / "taken_too", {"coordinator.bind=" + bind})), bind);
  ::close(taken);
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

std::vector<std::string> script(const Sets& words) {
  std::vector<std::string> argv{"env", "PATH=" DYAD_BIN ":" + std::string(std::getenv("PATH")),
                                DYAD_SOURCE "/deploy/mpirun.sh"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

TEST(ClusterLaunch, TheMpirunScriptTakesAFolderOfAnyNameAndRecoversAKilledCoordinator) {
  const auto job = scratch() / "run = \"a\" 'b' \\c", config = scratch() / "any_name.toml";
  auto argv = train_command(job, kFourEpochs);
  argv[1] = "config";
  const Outcome resolved = run(argv);
  ASSERT_EQ(resolved.code, 0) << resolved.output;
  ASSERT_TRUE(io::write_file_atomic(config, resolved.output));
  auto child = start("script", script({config.string()}), scratch() / "any_name.log");
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  ASSERT_EQ(::kill(process_of(job, "dyad-coordinator"), SIGKILL), 0);
  EXPECT_TRUE(child.wait_for(150'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), 0) << ops::tail(child.log(), 20);
  EXPECT_NE(text(child.log()).find("it goes on with its journal"), std::string::npos) << ops::tail(child.log(), 20);
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
}

TEST(ClusterLaunch, TheMpirunScriptHelpsAndNamesAFileThatIsNotThere) {
  const Outcome help = run(script({"--help"}));
  EXPECT_EQ(help.code, 0) << help.output;
  EXPECT_NE(help.output.find("usage: deploy/mpirun.sh"), std::string::npos) << help.output;
  const Outcome missing = run(script({"no-such.toml"}));
  EXPECT_TRUE(missing.code == 2 || missing.code == 3) << missing.output;
  EXPECT_NE(missing.output.find("no-such.toml"), std::string::npos) << missing.output;
}

}  // namespace
}  // namespace dyad::tests
