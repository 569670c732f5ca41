// A launcher's children: real processes that end, are ended, and leave nothing behind.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include "ops/launch/child.h"

namespace dyad::ops {
namespace {

class ChildTest : public testing::Test {
 protected:
  std::filesystem::path log_ =
      std::filesystem::path(testing::TempDir()) / ("child_" + std::to_string(getpid()) + ".log");
  ~ChildTest() override { std::filesystem::remove(log_); }
};

bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_F(ChildTest, ItsExitCodeAndOutputAreKept) {
  auto child = Child::start("sh", {"sh", "-c", "echo said; exit 7"}, log_);
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(child.value().wait_for(5000));
  EXPECT_EQ(child.value().poll(), 7);
  EXPECT_EQ(tail(log_, 5), "  | said\n");
}

TEST_F(ChildTest, ItsLastWordsAreItsErrorsNotTheBannerOfMpirun) {
  std::ofstream(log_) << "2026-11-25 01:31:30.000 E [worker 1] of a process before it\n";
  const std::string error = "2026-11-25 01:31:36.274 E [worker 0] step 132 the cut was not committed";
  std::string script = "echo '2026-11-25 01:31:32.896 I [worker 0] step 132 done'; echo '" + error + "'; echo more;";
  script += "echo '2026-11-25 01:31:36.275 I [worker 1] goes on'; echo " + std::string(74, '-') + ";";
  script += "for i in 1 2 3 4 5 6 7 8; do echo MPI_ABORT was invoked; done; echo " + std::string(74, '-');
  auto child = Child::start("sh", {"sh", "-c", script}, log_);
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(child.value().wait_for(5000));
  EXPECT_EQ(child.value().last_words(), "  | " + error + "\n  | more\n");
}

TEST_F(ChildTest, WithoutAnErrorItsLastWordsAreItsLastLines) {
  auto child = Child::start("sh", {"sh", "-c", "echo 'dyad-ps: no such file'"}, log_);
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(child.value().wait_for(5000));
  EXPECT_EQ(child.value().last_words(), "  | dyad-ps: no such file\n");
}

TEST_F(ChildTest, AProgramThatIsNotThereIsAnErrorNotAnExitCode) {
  auto child = Child::start("ghost", {"dyad-no-such-program"}, log_);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, Code::kNotFound);
  EXPECT_NE(child.error().message.find("dyad-no-such-program"), std::string::npos);
}

TEST_F(ChildTest, KillEndsAGroupThatIgnoresTerm) {
  const auto pid_file = log_.string() + ".pid";
  auto child = Child::start(
      "stubborn", {"sh", "-c", "trap '' TERM; sleep 100 & echo $! > " + pid_file + "; wait; sleep 100"}, log_);
  ASSERT_TRUE(child);
  pid_t grandchild = 0;
  for (int i = 0; i < 200 && grandchild == 0; ++i) {
    std::ifstream(pid_file) >> grandchild;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_GT(grandchild, 0);
  const pid_t pid = child.value().pid();
  child.value().kill();
  EXPECT_FALSE(exists(pid));
  for (int i = 0; i < 200 && exists(grandchild); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(exists(grandchild));
  std::filesystem::remove(pid_file);
}

// Reaped at once, its number could be another process's by the time that its group is killed.
TEST_F(ChildTest, OneThatEndedKeepsItsNumberUntilItsGroupIsKilled) {
  const auto pid_file = log_.string() + ".pid";
  auto child = Child::start("leader", {"sh", "-c", "sleep 100 & echo $! > " + pid_file + "; exit 3"}, log_);
  ASSERT_TRUE(child);
  ASSERT_TRUE(child.value().wait_for(5000));
  const pid_t pid = child.value().pid();
  EXPECT_EQ(child.value().poll(), 3);
  EXPECT_TRUE(exists(pid)) << "its number is free while its group lives";
  pid_t grandchild = 0;
  std::ifstream(pid_file) >> grandchild;
  ASSERT_TRUE(exists(grandchild));
  child.value().kill();
  EXPECT_FALSE(exists(pid));
  for (int i = 0; i < 200 && exists(grandchild); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(exists(grandchild));
  std::filesystem::remove(pid_file);
}

TEST_F(ChildTest, ASignalShowsInTheExitCode) {
  auto child = Child::start("sleep", {"sleep", "100"}, log_);
  ASSERT_TRUE(child);
  child.value().signal(SIGINT);
  ASSERT_TRUE(child.value().wait_for(5000));
  EXPECT_EQ(child.value().poll(), 128 + SIGINT);
}

}  // namespace
}  // namespace dyad::ops
