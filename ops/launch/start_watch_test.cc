#include "ops/launch/start_watch.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <gtest/gtest.h>
#include "common/base/process.h"
#include "common/control/address.h"
#include "common/http/server.h"
#include "common/io/temp_folder.h"

namespace dyad::ops {
namespace {

using nlohmann::json;

json member(const char* role, unsigned id, pid_t pid, bool stale = false, const std::string& host = host_name()) {
  return {{"role", role}, {"id", id}, {"pid", pid}, {"host", host}, {"stale", stale}};
}

TEST(StartWatch, WhoIsMissingIsNamedAndOnlyProcessesOfThisMachineAreKnownByNumber) {
  const json status{{"processes", {member("server", 1, 11), member("worker", 0, 12, false, "elsewhere"),
                                   member("worker", 1, 13, true)}}};
  const auto roll = call_roll(status.dump(), 2, 2);
  ASSERT_TRUE(roll);
  EXPECT_EQ(roll->missing, (std::vector<std::string>{"server 0", "worker 1"}));
  EXPECT_EQ(roll->here, std::vector<pid_t>{11});
  for (const char* other : {"", "{}", "[]", "{\"processes\":7}"}) EXPECT_FALSE(call_roll(other, 1, 1)) << other;
}

class StartWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"coordinator", "ps-0", "workers"})
      children_.push_back(Child::start(name, {"sleep", "100"}, {}).value());
    http_ = http::Server::start({"127.0.0.1:0", "here"}, [this](const std::string&) {
              return http::Answer{200, "application/json", json{{"processes", registered_}}.dump()};
            }).value();
    ASSERT_TRUE(control::write_address(folder_.path(), {"tcp://127.0.0.1:1", http_->address(), 1}));
  }
  bool was_killed(int child, int looks) {
    for (int i = 0; i < looks && !children_[child].poll(); ++i) {
      watch_.look(children_, now_ += 1000);
      (void)children_[child].wait_for(50);
    }
    return children_[child].poll() == 128 + SIGKILL;
  }
  io::TempFolder folder_;
  std::vector<Child> children_;
  json registered_ = json::array();
  std::unique_ptr<http::Server> http_;
  Millis now_ = 1'000'000;
  StartWatch watch_{{folder_.path(), 1, 1, 5000}};
};

TEST_F(StartWatchTest, AStoppedProcessThatHasNotRegisteredIsKilledAfterTheBoundAndNotBefore) {
  children_[1].signal(SIGSTOP);
  EXPECT_FALSE(was_killed(1, 5));
  EXPECT_TRUE(was_killed(1, 3));
  EXPECT_FALSE(children_[2].poll()) << "it only slept";
}

TEST_F(StartWatchTest, AStoppedMpirunIsKilledAsLongAsARankIsMissing) {
  registered_ = {member("server", 0, children_[1].pid())};
  children_[1].signal(SIGSTOP);
  children_[2].signal(SIGSTOP);
  EXPECT_TRUE(was_killed(2, 8));
  EXPECT_FALSE(children_[1].poll()) << "it has registered: the coordinator hears whether it lives";
}

TEST_F(StartWatchTest, OneThatGoesOnInTimeAndAPauseOfTheLauncherCountForNothing) {
  children_[1].signal(SIGSTOP);
  EXPECT_FALSE(was_killed(1, 4));
  now_ += 100'000;                               // the launcher itself was stopped
  EXPECT_FALSE(was_killed(1, 1));
  children_[1].signal(SIGCONT);
  EXPECT_FALSE(was_killed(1, 20));
}

TEST_F(StartWatchTest, OnceAllHaveRegisteredNobodyIsWatched) {
  registered_ = {member("server", 0, children_[1].pid()), member("worker", 0, 1)};
  EXPECT_FALSE(was_killed(1, 2));
  registered_ = json::array();
  children_[1].signal(SIGSTOP);
  EXPECT_FALSE(was_killed(1, 20));
}

}  // namespace
}  // namespace dyad::ops
