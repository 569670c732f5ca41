// A line of progress fits its terminal and says no more than is known.
#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include "common/base/progress.h"
#include "common/base/terminal.h"

namespace dyad {
namespace {

ProgressState training(std::uint64_t done) {
  return {.label = "train", .unit = "steps", .note = "epoch 2, 2345 samples/s, loss 3.142, validation NDCG@10 0.0712",
          .done = done, .total = 642, .spent_s = 31, .left_s = 83};
}

TEST(ProgressLine, FitsEveryWidth) {
  for (const bool blocks : {false, true})
    for (std::size_t columns = 10; columns <= 200; ++columns)
      for (const std::uint64_t done : {0u, 1u, 321u, 641u, 642u}) {
        const std::string line = bar_line(training(done), columns, blocks);
        EXPECT_LE(width_of(line), columns) << line;
        EXPECT_NE(line.find('%'), std::string::npos) << line;
        EXPECT_EQ(line.find('\033'), std::string::npos);
        const bool is_ascii = std::all_of(line.begin(), line.end(), [](char c) { return c >= 32; });
        EXPECT_TRUE(blocks || is_ascii) << line;
      }
}

TEST(ProgressLine, DropsTheLeastWeightyFirst) {
  EXPECT_EQ(bar_line(training(321), 19, false), "train ####....  50%");
  EXPECT_EQ(bar_line(training(321), 59, false), "train #####.....  50% 321/642 steps 1 min 23 s left epoch 2");
  EXPECT_EQ(bar_line(training(321), 79, false),
            "train #######.......  50% 321/642 steps 1 min 23 s left epoch 2, 2345 samples/s");
  EXPECT_EQ(bar_line(training(321), 199, false),
            "train ###############...............  50% 321/642 steps 1 min 23 s left "
            "epoch 2, 2345 samples/s, loss 3.142, validation NDCG@10 0.0712");
}

TEST(ProgressLine, IsFullAndAtAHundredOnlyWhenAllIsDone) {
  EXPECT_EQ(percent_of(640, 642), 99u);
  EXPECT_EQ(percent_of(999'999'999, 1'000'000'000), 99u);
  EXPECT_EQ(percent_of(642, 642), 100u);
  EXPECT_EQ(percent_of(0, 0), 100u);
  EXPECT_NE(bar_line(training(641), 80, false).find('.'), std::string::npos);
}

TEST(ProgressLine, SaysNoTimeLeftBeforeItIsKnown) {
  ProgressState begun = training(0);
  begun.left_s.reset();
  EXPECT_EQ(bar_line(begun, 200, false).find("left"), std::string::npos);
  EXPECT_EQ(plain_line(begun), "train   0% 0/642 steps, 31 s, " + begun.note);
  EXPECT_EQ(plain_line(training(321)), "train  50% 321/642 steps, 31 s, 1 min 23 s left, " + begun.note);
}

TEST(ProgressLine, ADurationIsReadAtAGlance) {
  EXPECT_EQ(duration_text(0.2), "0 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
}

TEST(Terminal, WideAndCombiningCharactersTakeTheirColumns) {
  EXPECT_EQ(width_of("abc"), 3u);
  EXPECT_EQ(width_of("日本"), 4u);
  EXPECT_EQ(width_of("e\xcc\x81"), 1u);
  EXPECT_EQ(width_of("\xff" "a"), 2u);
  EXPECT_EQ(clipped("日本語", 5), "日本");
  ProgressState wide = training(100);
  wide.label = "読み込み中";
  for (std::size_t columns = 10; columns <= 100; ++columns) EXPECT_LE(width_of(bar_line(wide, columns, true)), columns);
}

TEST(Terminal, BlocksAreForUtf8WithoutNoColor) {
  const auto wanted = [](const char* all, const char* lang, const char* no_color) {
    setenv("LC_ALL", all, 1);
    setenv("LANG", lang, 1);
    setenv("NO_COLOR", no_color, 1);
    unsetenv("LC_CTYPE");
    return are_blocks_wanted();
  };
  EXPECT_TRUE(wanted("", "de_DE.UTF-8", ""));
  EXPECT_TRUE(wanted("C.utf8", "C", ""));
  EXPECT_FALSE(wanted("C", "de_DE.UTF-8", ""));
  EXPECT_FALSE(wanted("", "", ""));
  EXPECT_FALSE(wanted("", "de_DE.UTF-8", "1"));
  unsetenv("NO_COLOR");
}

std::string drawn(bool finished, std::uint64_t done) {
  testing::internal::CaptureStderr();
  {
    Progress bar("train", 10, "steps", /*on_terminal=*/true);
    bar.at(done);
    if (finished) bar.finish();
  }
  return testing::internal::GetCapturedStderr();
}

TEST(Progress, ABarIsFullWhenItIsFinishedAndOnlyThen) {
  EXPECT_NE(drawn(true, 4).find("100% 10/10"), std::string::npos);
  EXPECT_EQ(drawn(false, 4).find("100%"), std::string::npos);
}

TEST(Progress, OnlyItsOwnSpeedCounts) {              // a job resumed at step 900 of 1000
  testing::internal::CaptureStderr();
  Progress bar("train", 1000, "steps", /*on_terminal=*/true);
  bar.at(900);
  usleep(300'000);
  bar.at(901);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find(" left"), std::string::npos) << said;           // 99 steps of 0.3 s or, on a busy machine, more;
  EXPECT_EQ(said.find(" 0 s left"), std::string::npos) << said;       // by all 901 steps it would be none
}

}  // namespace
}  // namespace dyad
