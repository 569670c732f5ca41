// Determinism is the oracle: whatever happens to a sync job, its last checkpoint has the bytes of the undisturbed run.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <nlohmann/json.hpp>
#include "common/base/result.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/metrics/step_log.h"
#include "ops/command.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

const fs::path& undisturbed_four_epochs() {
  static const fs::path checkpoint = trained("undisturbed4", {"train.epochs=4"});
  return checkpoint;
}

// Starts a job that checkpoints every 5 steps, kills one of its processes after the first checkpoint, and lets the
// launcher bring it to its end.
struct Kill { std::string victim; int signal = SIGKILL; bool whole_job_restarts = true; };
fs::path trained_with_a_kill(const std::string& name, const Kill& kill) {
  const auto job = scratch() / name;
  auto child =
      start(name, train_command(job, {"checkpoint.every_steps=5", "train.epochs=4"}), scratch() / (name + ".log"));
  EXPECT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  const pid_t pid = process_of(job, kill.victim);
  EXPECT_GT(pid, 0) << "no process " << kill.victim;
  if (pid > 0) ::kill(pid, kill.signal);
  EXPECT_TRUE(child.wait_for(100'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), 0) << ops::tail(child.log(), 20);
  EXPECT_NE(ops::tail(child.log(), 200).find("restart 1"), std::string::npos) << "the kill went unnoticed";
  EXPECT_EQ(ops::tail(child.log(), 200).find("starting the job again") != std::string::npos, kill.whole_job_restarts)
      << ops::tail(child.log(), 200);
  undisturbed_four_epochs();
  EXPECT_EQ(io::read_file(job / metrics::kStepLogName).value(),
            io::read_file(scratch() / "undisturbed4" / metrics::kStepLogName).value());
  return last_checkpoint(job);
}

// One part of a job, for tests that start parts by hand.
std::vector<std::string> part(const std::string& name, const fs::path& job, const Sets& sets) {
  fs::create_directories(job);
  auto argv = train_command(job, sets);
  argv.erase(argv.begin(), argv.begin() + 2);                        // "dyad train"
  argv.insert(argv.begin(), program(name));
  return argv;
}
std::vector<std::string> coordinator_alone(const fs::path& job, const Sets& sets = {}) {
  return part("dyad-coordinator", job, sets);
}
std::vector<std::string> server_alone(const fs::path& job, const Sets& sets = {}) {
  auto argv = part("dyad-ps", job, sets);
  argv.insert(argv.end(), {"--id", "0"});
  return argv;
}

TEST(Cluster, TheSameJobTwiceGivesTheSameBytes) { EXPECT_EQ(difference(undisturbed(), trained("again")), ""); }

TEST(Cluster, OneServerAndThreeServersGiveTheSameBytes) {
  EXPECT_EQ(difference(undisturbed(), trained("one_server", {"servers.count=1"})), "");
  EXPECT_EQ(difference(undisturbed(), trained("three_servers", {"servers.count=3", "servers.threads=2"})), "");
}

// A server's share of the rows and a rank's share of the samples are only places: the model is the same one.
TEST(Cluster, OneRankAndTwoRanksComputeTheSameLosses) {
  const Sets sets{"model.dropout=0", "train.precision=fp32", "train.epochs=3", "train.max_steps=50",
                  "train.log_every=1"};
  const auto with_ranks = [&](const std::string& name, const std::string& ranks) {
    Sets all = sets;
    all.push_back("train.workers=" + ranks);
    EXPECT_FALSE(trained(name, all).empty());
    return metrics::read_step_log(scratch() / name / metrics::kStepLogName).value();
  };
  const auto one = with_ranks("one_rank", "1"), two = with_ranks("two_ranks", "2");
  ASSERT_EQ(one.size(), 50u);
  ASSERT_EQ(two.size(), 50u);
  double worst = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].values.at("samples"), two[i].values.at("samples")) << "step " << i + 1;
    worst = std::max(worst, std::abs(one[i].values.at("loss") - two[i].values.at("loss")));
  }
  EXPECT_LT(worst, 1e-4);
  EXPECT_LT(one.back().values.at("loss"), one.front().values.at("loss") - 0.1) << "nothing was learnt";
  RecordProperty("worst", std::to_string(worst));
}

TEST(Cluster, AJobWithAKeyGivesTheSameBytesAndKeepsOthersOut) {
  const auto key = (scratch() / "job.key").string();
  ASSERT_EQ(run({program("dyad"), "key", key}).code, 0);
  EXPECT_EQ(difference(undisturbed(), trained("with_key", {"security.key_file=" + key})), "");
  const auto job = scratch() / "kept_out";
  auto server = start("ps", server_alone(job, {"security.key_file=" + key, "servers.timeout_ms=3000"}), job / "ps.log");
  auto coordinator = start("coordinator", coordinator_alone(job), job / "coordinator.log");   // it has no key
  EXPECT_TRUE(server.wait_for(90'000)) << ops::tail(server.log(), 10);
  EXPECT_EQ(server.poll(), static_cast<int>(Code::kDisconnected)) << ops::tail(server.log(), 10);
  coordinator.kill();
}

TEST(Cluster, AServerWhoseCoordinatorNeverComesBackLeaves) {
  const auto job = scratch() / "orphan";
  const Sets sets{"servers.timeout_ms=3000", "servers.count=1"};
  auto coordinator = start("coordinator", coordinator_alone(job, sets), job / "coordinator.log");
  auto server = start("ps", server_alone(job, sets), job / "ps.log");
  EXPECT_TRUE(soon([&] { return ops::tail(server.log(), 50).find("waits for a worker") != std::string::npos; }));
  coordinator.kill();
  EXPECT_TRUE(server.wait_for(30'000)) << ops::tail(server.log(), 10);
  EXPECT_EQ(server.poll(), static_cast<int>(Code::kDisconnected)) << ops::tail(server.log(), 10);
  EXPECT_NE(ops::tail(server.log(), 10).find("no answer from the coordinator"), std::string::npos)
      << ops::tail(server.log(), 10);
}

TEST(Cluster, AnotherSeedGivesOtherRowsAndOtherWeights) {
  const std::string differs = difference(undisturbed(), trained("seed", {"job.seed=2"}));
  EXPECT_NE(differs.find("dense.safetensors"), std::string::npos) << differs;
  EXPECT_NE(differs.find("rows/g"), std::string::npos) << differs;
}

// Where a run is told to stop decides nothing: the learning rate's schedule counts all epochs.
TEST(Cluster, CutShortByMaxStepsAndResumedIsAsIfNeverStopped) {
  const auto job = scratch() / "short";
  const Outcome first = run(train_command(job, {"train.max_steps=17"}));
  ASSERT_EQ(first.code, 0) << first.output;
  const auto middle = last_checkpoint(job);
  ASSERT_EQ(middle.filename().string(), ckpt::folder_name(Step{17}));
  const Outcome resumed = run(train_command(job, {}, true));
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
  EXPECT_EQ(io::read_file(job / metrics::kStepLogName).value(),
            io::read_file(scratch() / "undisturbed" / metrics::kStepLogName).value());
}

TEST(Cluster, StoppedAndResumedOnAnotherNumberOfServersIsAsIfNeverStopped) {
  const auto job = scratch() / "stopped";
  auto child = start("stopped", train_command(job, {"checkpoint.every_steps=3"}), scratch() / "stopped.log");
  ASSERT_TRUE(wait_for_step(job, 3)) << ops::tail(child.log(), 20);
  child.signal(SIGINT);
  ASSERT_TRUE(child.wait_for(60'000));
  EXPECT_EQ(child.poll(), ops::kStoppedExitCode) << ops::tail(child.log(), 20);
  EXPECT_EQ(ops::tail(child.log(), 200).find("100%"), std::string::npos) << ops::tail(child.log(), 20);
  EXPECT_TRUE(processes_of(job).empty()) << "Ctrl-C left processes behind";
  const Outcome status = run({program("dyad"), "status", job.string()});
  EXPECT_EQ(status.code, 0) << status.output;
  EXPECT_NE(status.output.find("stopped at step"), std::string::npos) << status.output;
  const auto middle = last_checkpoint(job);
  ASSERT_NE(middle.filename(), undisturbed().filename()) << "the job was done before it was stopped";
  const Outcome resumed = run(train_command(job, {"checkpoint.every_steps=3", "servers.count=3"}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

TEST(Cluster, AKilledServerChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("killed_server", {"dyad-ps"})), "");
}
TEST(Cluster, AKilledWorkerChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("killed_worker", {program("dyad-worker")})), "");
}
TEST(Cluster, AKilledCoordinatorChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(),
                       trained_with_a_kill("killed_coordinator", {"dyad-coordinator", SIGKILL, false})),
            "");
}

// It leaves with 0, as it should; the job may not.
TEST(Cluster, AServerThatIsAskedToLeaveInTheMiddleChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(), trained_with_a_kill("ended_server", {"dyad-ps", SIGTERM})), "");
}

TEST(Cluster, AWorkerThatIsAskedToLeaveStopsTheJobForAResume) {
  const auto job = scratch() / "ended_worker";
  const Sets sets{"checkpoint.every_steps=5", "train.epochs=4"};
  auto child = start("ended_worker", train_command(job, sets), scratch() / "ended_worker.log");
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  ASSERT_EQ(::kill(process_of(job, program("dyad-worker")), SIGTERM), 0);
  ASSERT_TRUE(child.wait_for(60'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), ops::kStoppedExitCode) << ops::tail(child.log(), 20);
  EXPECT_NE(ops::tail(child.log(), 5).find("stopped, go on with --resume"), std::string::npos)
      << ops::tail(child.log(), 20);
  const Outcome resumed = run(train_command(job, sets, true));
  EXPECT_NE(resumed.output.find("training finished"), std::string::npos) << resumed.output;
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
}

TEST(Cluster, ASecondTrainingInTheSameFolderHarmsNeitherARunningNorAFinishedJob) {
  const auto job = scratch() / "twice";
  auto first = start("twice", train_command(job, {"checkpoint.every_steps=5"}), scratch() / "twice.log");
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(first.log(), 20);
  const Outcome beside = run(train_command(job, {"model.dim=32"}));
  EXPECT_EQ(beside.code, static_cast<int>(Code::kOverloaded)) << beside.output;
  ASSERT_TRUE(first.wait_for(100'000)) << ops::tail(first.log(), 20);
  EXPECT_EQ(first.poll(), 0) << ops::tail(first.log(), 20);
  EXPECT_EQ(ops::tail(first.log(), 200).find("restart"), std::string::npos) << ops::tail(first.log(), 200);
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
  const std::string config = io::read_file(job / "config.toml").value();
  const Outcome after = run(train_command(job, {"model.dim=32"}));
  EXPECT_EQ(after.code, static_cast<int>(Code::kInvalid)) << after.output;
  EXPECT_NE(after.output.find("--resume"), std::string::npos) << after.output;
  EXPECT_EQ(io::read_file(job / "config.toml").value(), config);
  const Outcome resumed = run(train_command(job, {"checkpoint.every_steps=5"}, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
}

// Whatever is up by then: nobody, the coordinator, mpirun without its ranks, or ranks that can catch the wish.
TEST(Cluster, StoppedInItsFirstMomentsItLeavesNothingAndIsNoFailure) {
  for (const int after_ms : {0, 100, 300, 900, 1600}) {
    const auto job = scratch() / ("early" + std::to_string(after_ms));
    auto child = start("early", train_command(job, {"train.epochs=400"}), job.string() + ".log");
    // From then on the command catches the signal; until then, a while on a busy machine, it is just ended by it.
    ASSERT_TRUE(soon([&] { return fs::exists(job / "config.toml"); })) << ops::tail(child.log(), 20);
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    child.signal(SIGINT);
    EXPECT_TRUE(child.wait_for(30'000)) << after_ms << " ms: " << ops::tail(child.log(), 20);
    EXPECT_EQ(child.poll(), ops::kStoppedExitCode) << after_ms << " ms: " << ops::tail(child.log(), 20);
    EXPECT_TRUE(processes_of(job).empty()) << after_ms << " ms";
  }
}

TEST(Cluster, StoppedTwiceItLeavesAtOnce) {
  const auto job = scratch() / "stopped_twice";
  auto child = start("stopped_twice", train_command(job, {"checkpoint.every_steps=5", "train.epochs=400"}),
                     scratch() / "stopped_twice.log");
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  child.signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));         // two at the same moment may count as one
  child.signal(SIGTERM);
  EXPECT_TRUE(child.wait_for(30'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), ops::kStoppedExitCode) << ops::tail(child.log(), 20);
  EXPECT_TRUE(processes_of(job).empty());
}

TEST(Cluster, AFailureIsToldByTheRankThatFailed) {
  auto argv = train_command(scratch() / "no_rows", {"model.lambda1=1e38", "train.clip=0", "train.workers=1"});
  argv.insert(argv.end(), {"--restarts", "0"});
  const Outcome outcome = run(argv);
  EXPECT_EQ(outcome.code, static_cast<int>(Code::kFailed)) << outcome.output;
  EXPECT_NE(outcome.output.find("E [worker 0]"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("MPI_ABORT"), std::string::npos) << outcome.output;
}

TEST(Cluster, AKilledLauncherLeavesNoProcessAndAResumeChangesNothing) {
  const auto job = scratch() / "killed_launcher";
  const Sets sets{"checkpoint.every_steps=5", "train.epochs=4"};
  auto child = start("killed_launcher", train_command(job, sets), scratch() / "killed_launcher.log");
  ASSERT_TRUE(wait_for_step(job, 5)) << ops::tail(child.log(), 20);
  child.signal(SIGKILL);
  EXPECT_TRUE(soon([&] { return child.poll() && processes_of(job).empty(); })) << ops::tail(child.log(), 20);
  const Outcome resumed = run(train_command(job, sets, true));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
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
  EXPECT_NE(resumed.output.find("checkpoint skipped: " + dense.string()), std::string::npos) << resumed.output;
  EXPECT_NE(resumed.output.find("resuming from step "), std::string::npos) << resumed.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

// The loss is still a number then; a cut after the step would be whole, and no restart would get past it.
TEST(Cluster, AGradientThatIsNotFiniteEndsTheJobBeforeACutCanHoldIt) {
  const auto job = scratch() / "overflow";
  auto argv = train_command(job, {"model.lambda1=1e38", "train.clip=0", "train.max_steps=1"});
  argv.insert(argv.end(), {"--restarts", "0"});
  const Outcome outcome = run(argv);
  EXPECT_EQ(outcome.code, static_cast<int>(Code::kFailed)) << outcome.output;
  const std::string log = io::read_file(job / "logs" / "workers.log").value();   // its end, as shown, may be mpirun's
  EXPECT_NE(log.find("step 1: the gradient of a row is not finite on 2 of the ranks"), std::string::npos) << log;
  EXPECT_EQ(last_checkpoint(job), fs::path());
}

TEST(Cluster, ResumingWithOtherKeysIsRefused) {
  ASSERT_FALSE(undisturbed().empty());
  const Outcome outcome = run(train_command(scratch() / "undisturbed", {"model.dim=32"}, true));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("config.toml"), std::string::npos) << outcome.output;
}

TEST(Cluster, BoundedAndUnboundedStalenessReachTheEnd) {
  // Each pull is under way before the push of the step before it: other rows than in sync mode come out.
  for (const Sets& sets : {Sets{"train.mode=ssp", "train.staleness=2"}, Sets{"train.mode=async"}}) {
    const auto last = trained(sets[0].substr(11), sets);
    ASSERT_EQ(last.filename(), undisturbed().filename());
    EXPECT_NE(difference(undisturbed(), last).find("rows/g"), std::string::npos) << sets[0];
  }
}

// The way a cluster runs it: coordinator and servers started apart, the workers by mpirun from the same file.
TEST(Cluster, PartsStartedByHandGiveTheSameBytes) {
  const auto job = scratch() / "apart";
  const auto config = write_job_file(job).string();
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

// The script of deploy/ itself, as a person uses it.
TEST(Cluster, TheMpirunScriptStopsResumesAndEvaluates) {
  const auto job = scratch() / "script", config = scratch() / "script.toml";
  auto argv = train_command(job, {"checkpoint.every_steps=30", "train.epochs=4", "eval.during_training=true"});
  argv[1] = "config";
  const Outcome resolved = run(argv);
  ASSERT_EQ(resolved.code, 0) << resolved.output;
  std::ofstream(config) << resolved.output;
  const std::vector<std::string> script{"env",
                                        "PATH=" DYAD_BIN ":" + std::string(std::getenv("PATH")),
                                        DYAD_SOURCE "/deploy/mpirun.sh", config.string()};
  auto child = start("script", script, scratch() / "script.log");
  ASSERT_TRUE(wait_for_step(job, 30)) << ops::tail(child.log(), 20);
  child.signal(SIGINT);
  ASSERT_TRUE(child.wait_for(60'000)) << ops::tail(child.log(), 20);
  EXPECT_EQ(child.poll(), ops::kStoppedExitCode) << ops::tail(child.log(), 20);
  EXPECT_TRUE(processes_of(job).empty()) << "Ctrl-C left processes behind";
  ASSERT_NE(last_checkpoint(job).filename(), undisturbed_four_epochs().filename()) << "it was done before the stop";
  auto again = script;
  again.insert(again.end(), {"--resume", "--set", "servers.count=1"});
  const Outcome resumed = run(again, 250);
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
  EXPECT_TRUE(fs::exists(ckpt::checkpoints_dir(job) / "best" / "eval-validation.json")) << resumed.output;
  EXPECT_TRUE(processes_of(job).empty());
  const Outcome refused = run(script);
  EXPECT_EQ(refused.code, static_cast<int>(Code::kInvalid)) << refused.output;
}

TEST(Cluster, CommandsSayWhatAFinishedJobIs) {
  const std::string job = undisturbed().parent_path().parent_path().string();
  const Outcome status = run({program("dyad"), "status", job});
  EXPECT_EQ(status.code, 0) << status.output;
  EXPECT_NE(status.output.find("finished at step"), std::string::npos) << status.output;
  const Outcome verify = run({program("dyad"), "ckpt", "verify", job});
  EXPECT_EQ(verify.code, 2) << verify.output;
  EXPECT_NE(verify.output.find(undisturbed().filename().string()), std::string::npos) << verify.output;
  const Outcome whole = run({program("dyad"), "ckpt", "verify", undisturbed().string(), "--json"});
  EXPECT_EQ(nlohmann::json::parse(whole.output).at("state"), "valid");
  const auto nowhere = scratch() / "nowhere";
  const Outcome eval =
      run({program("dyad"), "eval", undisturbed().string(), "--output", (nowhere / "x.json").string()});
  EXPECT_EQ(eval.code, 2) << eval.output;
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST(Cluster, ACoordinatorThatIsAskedToLeaveInTheMiddleChangesNothing) {
  EXPECT_EQ(difference(undisturbed_four_epochs(),
                       trained_with_a_kill("ended_coordinator", {"dyad-coordinator", SIGTERM})),
            "");
}

// A server syncs its four files and their folder one by one: with this disk a cut takes twice servers.timeout_ms.
TEST(Cluster, ACutThatTakesLongerThanAPeerMayBeSilentIsWaitedFor) {
  const auto job = scratch() / "slow_disk";
  auto argv = train_command(job, {"servers.timeout_ms=5000"});
  argv.insert(argv.begin(), {"env", "LD_PRELOAD=" DYAD_SLOW_DISK, "SLOW_DISK_MS=1200",
                             "ASAN_OPTIONS=verify_asan_link_order=0"});
  const Outcome outcome = run(argv, 200);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find("restart"), std::string::npos) << outcome.output;
  EXPECT_NE(io::read_file(job / "logs" / "workers.log").value().find("is not committed after"), std::string::npos)
      << "the disk was not slow";
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

// The disk has no room for a while: cuts are given up until it has, the last one is there, and no byte is another.
TEST(Cluster, ADiskThatIsFullForAWhileCostsCutsAndNeitherTheJobNorAByte) {
  const auto job = scratch() / "full_disk";
  auto argv = train_command(job, {"checkpoint.every_steps=5", "train.epochs=4"});
  argv.insert(argv.begin(), {"env", "LD_PRELOAD=" DYAD_SLOW_DISK, "FULL_DISK_SYNCS=3",
                             "ASAN_OPTIONS=verify_asan_link_order=0"});
  const Outcome outcome = run(argv, 200);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find("restart"), std::string::npos) << outcome.output;
  EXPECT_NE(io::read_file(job / "logs" / "coordinator.log").value().find("is given up"), std::string::npos)
      << "the disk was not full";
  EXPECT_EQ(difference(undisturbed_four_epochs(), last_checkpoint(job)), "");
  for (const auto& entry : fs::directory_iterator(ckpt::checkpoints_dir(job)))
    EXPECT_NE(entry.path().filename().string().front(), '.') << entry.path();
}

}  // namespace
}  // namespace dyad::tests
