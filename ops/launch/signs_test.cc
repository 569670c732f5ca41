#include "ops/launch/signs.h"

#include <fstream>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/io/temp_folder.h"

namespace dyad::ops {
namespace {

TEST(Signs, QuietIsTimeWithoutAChange) {
  Quiet quiet;
  EXPECT_EQ(quiet.ms(7, 1000), 0u);
  EXPECT_EQ(quiet.ms(7, 61'000), 60'000u);
  EXPECT_EQ(quiet.ms(8, 62'000), 0u);
  EXPECT_EQ(quiet.ms(8, 62'500), 500u);
}

TEST(Signs, BytesBelowAFolderGrowWithEachFile) {
  const io::TempFolder folder;
  EXPECT_EQ(bytes_below(folder / "none"), 0u);
  std::filesystem::create_directories(folder / "step-1/rows");
  std::ofstream(folder / "step-1/rows/.g0000.rows.tmp-1-0") << "12345";
  std::ofstream(folder / "step-1/dense") << "123";
  EXPECT_EQ(bytes_below(folder.path()), 8u);
}

TEST(Signs, AProcessThatComputesWorks) {
  const std::uint64_t before = work_of(::getpid());
  volatile double x = 1;
  for (int i = 0; i < 2'000'000'000 && work_of(::getpid()) == before; ++i)
    for (int k = 0; k < 1'000'000; ++k) x = x * 1.0000001;
  EXPECT_GT(work_of(::getpid()), before);
  EXPECT_EQ(work_of(-1), 0u);
}

TEST(Signs, ChildrenAreFoundUntilTheyEnd) {
  const pid_t child = ::fork();
  if (child == 0) for (;;) ::pause();
  EXPECT_EQ(children_of(::getpid()), std::vector<pid_t>{child});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(children_of(::getpid()).empty());
}

}  // namespace
}  // namespace dyad::ops
