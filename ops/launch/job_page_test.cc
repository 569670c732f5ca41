#include "ops/launch/job_page.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "common/config/config.h"
#include "common/control/address.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/metrics/step_log.h"
#include "coordinator/journal/journal.h"
#include "coordinator/journal/start.h"
#include "ops/launch/job_lock.h"
#include "ops/launch/job_on_disk.h"

namespace dyad::ops {
namespace {

using testing::HasSubstr;

class EndedJob : public testing::Test {
 protected:
  void SetUp() override {
    config::Config config;
    config.job.name = "ended";
    ASSERT_TRUE(io::write_file_atomic(run_ / "config.toml", config::to_toml(config)));
    auto log = metrics::StepLog::open(run_ / metrics::kStepLogName, Step{0}).value();
    for (const std::uint64_t step : {10, 20}) ASSERT_TRUE(log.append({Step{step}, 0, {{"loss", 5.0 / step}}}));
    std::vector<std::string> ignored;
    auto journal = coordinator::Journal::open(run_ / coordinator::kJournalName, ignored).value();
    ASSERT_TRUE(
        journal.append({coordinator::encode(coordinator::RunStarted{.job = "ended"}, 1e9),
                        coordinator::encode(coordinator::GenerationBegan{2, "worker 0 fell silent"}, 1e9 + 5)}));
  }
  static nlohmann::json status(JobPage& page) { return nlohmann::json::parse(page.status().value()); }
  io::TempFolder folder_;
  std::filesystem::path run_ = folder_.path() / "run";
};

TEST_F(EndedJob, IsShownFromItsFolder) {
  auto page = JobPage::open(run_.string()).value();
  const auto shown = status(page);
  EXPECT_EQ(shown.at("job"), "ended");
  EXPECT_EQ(shown.at("state"), "stopped");
  EXPECT_EQ(shown.at("curves").at("loss"), nlohmann::json::parse("[0.5, 0.25]"));
  EXPECT_EQ(shown.at("events").size(), 2u);
  EXPECT_EQ(shown.at("restarts"), 1);
}

TEST_F(EndedJob, WhoseCoordinatorWasKilledIsShownToo) {
  ASSERT_TRUE(control::write_address(run_, {"tcp://127.0.0.1:1", "http://127.0.0.1:1", 1}));
  auto page = JobPage::open(run_.string()).value();
  EXPECT_EQ(status(page).at("job"), "ended");
}

TEST_F(EndedJob, WhoseLauncherWasKilledHasTheStatusOfItsFolderUnlessSomebodyIsAtWork) {
  ASSERT_TRUE(control::write_address(run_, {"tcp://127.0.0.1:1", "http://127.0.0.1:1", 1}));
  const auto left = status_of(run_, 1000);
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(nlohmann::json::parse(left.value()).at("state"), "stopped");
  {
    const auto launcher = JobLock::take(run_);
    ASSERT_TRUE(launcher) << launcher.error().message;
    const auto restarting = status_of(run_, 1000);
    ASSERT_FALSE(restarting) << "its launcher starts the coordinator again";
    EXPECT_EQ(restarting.error().code, Code::kDisconnected);
  }
  std::vector<std::string> ignored;
  const auto coordinator = coordinator::Journal::open(run_ / coordinator::kJournalName, ignored);
  ASSERT_TRUE(coordinator) << coordinator.error().message;
  const auto hanging = status_of(run_, 1000);
  ASSERT_FALSE(hanging);
  EXPECT_EQ(hanging.error().code, Code::kDisconnected);
}

TEST_F(EndedJob, ThatGoesOnIsReadAgain) {
  auto page = JobPage::open(run_.string()).value();
  auto log = metrics::StepLog::open(run_ / metrics::kStepLogName, Step{20}).value();
  ASSERT_TRUE(log.append({Step{30}, 0, {{"loss", 0.125}}}));
  EXPECT_EQ(status(page).at("curves").at("step").size(), 3u);
}

TEST_F(EndedJob, AFolderThatIsNoneSaysSo) {
  const auto none = JobPage::open((folder_.path() / "nothing").string());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("there is no folder"));
  const auto other = JobPage::open(folder_.path().string());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kNotFound);
  EXPECT_THAT(other.error().message, HasSubstr("is not the folder of a job"));
  std::ofstream(run_ / "manifest.json") << "{}";
  const auto checkpoint = JobPage::open(run_.string());
  ASSERT_FALSE(checkpoint);
  EXPECT_EQ(checkpoint.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace dyad::ops
