#include <ctime>
#include <fstream>
#include <map>
#include <gtest/gtest.h>
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/metrics/histogram.h"
#include "common/metrics/process_figures.h"
#include "common/metrics/prometheus.h"
#include "common/metrics/step_log.h"

namespace dyad::metrics {
namespace {

using Values = std::map<std::string, double>;

std::string text_of(const Values& values, const Labels& labels = {{"role", "worker"}, {"id", "0"}}) {
  return prometheus_text(figures_of(values, labels));
}

TEST(Prometheus, LabelsAreTakenOutOfTheNamesThatFiguresTravelUnder) {
  const std::string text = text_of({{"loss", 6.5}, {"loss.con", 2}, {"loss.gen.semantic.2", 1.5},
                                    {"phase_all_reduce_wait_seconds_total", 4}, {"samples_per_s", 99}});
  for (const char* line : {"dyad_loss{id=\"0\",part=\"total\",role=\"worker\"} 6.5",
                           "dyad_loss{id=\"0\",part=\"con\",role=\"worker\"} 2",
                           "dyad_loss{id=\"0\",level=\"2\",part=\"gen\",role=\"worker\",stream=\"semantic\"} 1.5",
                           "dyad_phase_seconds_total{id=\"0\",phase=\"all_reduce_wait\",role=\"worker\"} 4",
                           "dyad_samples_per_second{id=\"0\",role=\"worker\"} 99"})
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
}

TEST(Prometheus, EachFamilyHasItsHelpAndTypeOnceBeforeItsFigures) {
  auto figures = figures_of({{"rows", 9}, {"pulls_total", 7}}, {{"role", "server"}, {"id", "0"}});
  for (auto& figure : figures_of({{"rows", 5}}, {{"role", "server"}, {"id", "1"}})) figures.push_back(figure);
  EXPECT_EQ(prometheus_text(figures),
            "# HELP dyad_pulls_total Pulls that a server answered\n# TYPE dyad_pulls_total counter\n"
            "dyad_pulls_total{id=\"0\",role=\"server\"} 7\n"
            "# HELP dyad_rows Rows that a server holds\n# TYPE dyad_rows gauge\n"
            "dyad_rows{id=\"0\",role=\"server\"} 9\ndyad_rows{id=\"1\",role=\"server\"} 5\n");
}

TEST(Prometheus, NothingThatAPeerMakesUpIsShown) {
  EXPECT_EQ(text_of({{"loss.gen.me\"}", 1},
                     {"loss.gen.behaviour.x", 1},
                     {"loss.con.1", 1},
                     {"up{}", 1},
                     {"rows.le.1", 1},
                     {"phase_x_seconds_total", 1},
                     {"", 1},
                     {".", 1},
                     {"loss.", 1},
                     {"apply_seconds", 1}}),
            "");
  EXPECT_EQ(
      prometheus_text(figures_of_evaluation({{"fusion/ndcg@10\n", 1}, {"x/ndcg@10", 1}, {"fusion/mrr@10", 1}}, {})),
      "");
}

TEST(Prometheus, RankingFiguresAreLabelledByListAndCutoff) {
  const auto figures = figures_of_evaluation({{"fusion/ndcg@10", 0.5}}, {{"split", "test"}});
  EXPECT_NE(prometheus_text(figures).find("dyad_ndcg{k=\"10\",list=\"fusion\",split=\"test\"} 0.5\n"),
            std::string::npos);
}

TEST(Histogram, ABucketHoldsWhatTookAtMostItsBound) {
  Histogram waits;
  for (const double seconds : {0.0, 0.00025, 0.0005, 0.25, 75.0}) waits.add(seconds);
  Values figures;
  waits.put("pull_wait_seconds", figures);
  const std::string text = text_of(figures, {});
  for (const char* line :
       {"# TYPE dyad_pull_wait_seconds histogram\n", "dyad_pull_wait_seconds_count 5\n",
        "dyad_pull_wait_seconds_sum 75.25", "dyad_pull_wait_seconds_bucket{le=\"0.0001\"} 1\n",
        "dyad_pull_wait_seconds_bucket{le=\"0.0005\"} 3\n",
        "dyad_pull_wait_seconds_bucket{le=\"0.1\"} 3\ndyad_pull_wait_seconds_bucket{le=\"0.25\"} 4\n",
        "dyad_pull_wait_seconds_bucket{le=\"60\"} 4\ndyad_pull_wait_seconds_bucket{le=\"+Inf\"} 5\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
}

TEST(Process, TheSystemTellsOfThisProcess) {
  const auto values = process_figures();
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_NEAR(values.at("process_start_time_seconds"), static_cast<double>(std::time(nullptr)), 600);
  EXPECT_EQ(figures_of(values, {}).size(), values.size());       // each has its family
}

class StepLogFile : public testing::Test {
 protected:
  static StepRecord record(std::uint64_t step) { return {Step{step}, step / 10, {{"loss", 1.0 / (1.0 + step)}}}; }
  void write(Step from, std::uint64_t first, std::uint64_t last) {
    auto log = StepLog::open(file_, from).value();
    for (std::uint64_t step = first; step <= last; ++step) ASSERT_TRUE(log.append(record(step)));
  }
  std::string text() const { return io::read_file(file_).value(); }
  io::TempFolder folder_;
  std::filesystem::path file_ = folder_.path() / kStepLogName;
};

TEST_F(StepLogFile, GoingOnFromACutLeavesTheFileOfAnUndisturbedRun) {
  write(Step{0}, 1, 20);
  const std::string undisturbed = text();
  write(Step{0}, 1, 13);                        // a fresh run begins a fresh file
  std::ofstream(file_, std::ios::app) << R"({"step":14,"epo)";   // killed while it wrote
  write(Step{10}, 11, 20);
  EXPECT_EQ(text(), undisturbed);
  const auto records = read_step_log(file_).value();
  ASSERT_EQ(records.size(), 20u);
  EXPECT_EQ(records[12].step, Step{13});
  EXPECT_EQ(records[12].epoch, 1u);
  EXPECT_EQ(records[12].values.at("loss"), 1.0 / 14);
}

TEST_F(StepLogFile, ADamagedLineIsNamed) {
  write(Step{0}, 1, 3);
  std::string damaged = text();
  damaged[damaged.find('\n') + 3] = '\1';
  std::ofstream(file_) << damaged;
  const auto records = read_step_log(file_);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, Code::kInvalid);
  EXPECT_NE(records.error().message.find(kStepLogName + std::string(":2")), std::string::npos)
      << records.error().message;
}

}  // namespace
}  // namespace dyad::metrics
