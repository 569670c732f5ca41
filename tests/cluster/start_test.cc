// What goes wrong before a process has registered: its coordinator does not know it yet, the launcher has to.
#include <gtest/gtest.h>
#include <signal.h>
#include <cstdlib>
#include "common/io/atomic_file.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

std::string once(const std::string& what) {      // in the first process that comes here
  return "if mkdir \"$0.was\" 2>/dev/null; then " + what + "; fi";
}

std::vector<std::string> with(const fs::path& bin, const fs::path& job, Sets sets) {
  sets.push_back("servers.timeout_ms=4000");
  auto argv = train_command(job, sets);
  argv[0] = (bin / "dyad").string();
  argv.insert(argv.begin(), {"env", "PATH=" + bin.string() + ":" + std::getenv("PATH")});
  return argv;
}

void is_stopped_and_goes_on(const std::string& name, const std::string& program, const std::string& told) {
  const auto job = scratch() / name;
  const auto bin = programs_with(name + "_bin", program, once("kill -STOP $$"));
  const Outcome outcome = run(with(bin, job, {}));
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_TRUE(fs::exists(bin / (program + ".was")));
  EXPECT_NE(outcome.output.find(told), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("has been stopped (SIGSTOP)"), std::string::npos) << outcome.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
  EXPECT_TRUE(processes_of(job).empty());
}

TEST(ClusterStart, ARankThatIsStoppedBeforeItRegistersChangesNothing) {
  is_stopped_and_goes_on("stopped_rank", "dyad-worker", "a rank (process");
}
TEST(ClusterStart, AStoppedMpirunChangesNothing) {
  is_stopped_and_goes_on("stopped_mpirun", "mpirun", "the job waits for worker 0, worker 1");
}

TEST(ClusterStart, AServerThatIsStoppedBeforeItRegistersChangesNothing) {
  const auto job = scratch() / "stopped_server";
  const auto bin = programs_with("stopped_server_bin", "dyad-ps", once("kill -STOP $$"));
  const Outcome outcome = run(with(bin, job, {}));
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("restart 1"), std::string::npos) << outcome.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
  EXPECT_TRUE(processes_of(job).empty());
}

TEST(ClusterStart, ASlowStartIsWaitedForAndSaid) {
  const auto job = scratch() / "slow_start";
  const auto bin = programs_with("slow_start_bin", "dyad-worker", once("sleep 10"));
  const Outcome outcome = run(with(bin, job, {}));
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("not registered after"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("restart 1"), std::string::npos) << outcome.output;
  EXPECT_EQ(difference(undisturbed(), last_checkpoint(job)), "");
}

}  // namespace
}  // namespace dyad::tests
