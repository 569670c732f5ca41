// Who may work in a job's folder.
#include <gtest/gtest.h>
#include <unistd.h>
#include <filesystem>
#include <optional>
#include "coordinator/journal/start.h"
#include "ops/launch/job_lock.h"

namespace dyad::ops {
namespace {

class JobLockTest : public testing::Test {
 protected:
  std::filesystem::path job_ = std::filesystem::path(testing::TempDir()) / ("job_lock_" + std::to_string(getpid()));
  JobLockTest() { std::filesystem::create_directories(job_); }
  ~JobLockTest() override { std::filesystem::remove_all(job_); }
};

Code code_of(const Result<JobLock>& lock) { return lock ? Code{} : lock.error().code; }

TEST_F(JobLockTest, ASecondLauncherIsRefusedUntilTheFirstIsGone) {
  {
    const auto first = JobLock::take(job_);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(code_of(JobLock::take(job_)), Code::kOverloaded);
  }
  EXPECT_TRUE(JobLock::take(job_));
  EXPECT_TRUE(std::filesystem::is_empty(job_)) << "looking must leave nothing";
}

TEST_F(JobLockTest, ACoordinatorStartedByHandRefusesALauncher) {
  std::vector<std::string> records;
  {
    const auto journal = coordinator::Journal::open(job_ / coordinator::kJournalName, records);
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(code_of(JobLock::take(job_)), Code::kOverloaded);
  }
  EXPECT_TRUE(JobLock::take(job_));
  EXPECT_TRUE(coordinator::Journal::open(job_ / coordinator::kJournalName, records)) << "the look must not hold it";
}

TEST_F(JobLockTest, AFolderThatIsNotThereIsNamed) {
  const auto lock = JobLock::take(job_ / "none");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace dyad::ops
