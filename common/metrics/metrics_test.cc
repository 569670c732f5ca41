#include <fstream>
#include <map>
#include <gtest/gtest.h>
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/metrics/figures.h"
#include "common/metrics/prometheus.h"
#include "common/metrics/step_log.h"

namespace dyad::metrics {
namespace {

TEST(Figures, DurationsGiveCountSumLastAndTheMaximumSinceTheLastLook) {
  Figures figures;
  figures.set("loss", 2.5);
  figures.add("rows", 3);
  figures.add("rows", 4);
  figures.observe("pull", 0.25);
  figures.observe("pull", 0.125);
  auto values = figures.values();
  EXPECT_EQ(values.at("rows"), 7);
  EXPECT_EQ(values.at("pull_count"), 2);
  EXPECT_EQ(values.at("pull_sum"), 0.375);
  EXPECT_EQ(values.at("pull_last"), 0.125);
  EXPECT_EQ(values.at("pull_max"), 0.25);
  figures.observe("pull", 0.0625);
  EXPECT_EQ(figures.values().at("pull_max"), 0.0625);
}

TEST(Prometheus, FiguresOfOneNameMakeOneFamilyAndNamesBecomeLegal) {
  const std::string text = prometheus_text(
      {{"fusion/ndcg@10", {{"split", "validation"}}, 0.5}, {"loss", {{"id", "0"}}, 2}, {"loss", {{"id", "1"}}, 3}});
  EXPECT_NE(text.find("dyad_fusion_ndcg_10{split=\"validation\"} 0.5"), std::string::npos) << text;
  EXPECT_NE(text.find("dyad_loss{id=\"0\"} 2"), std::string::npos) << text;
  EXPECT_EQ(text.find("# TYPE dyad_loss"), text.rfind("# TYPE dyad_loss")) << text;
}

TEST(Prometheus, TheEndingOfANameSaysItsKind) {
  std::vector<Figure> figures;
  for (const char* id : {"0", "1"})
    for (const auto& [name, value] : std::map<std::string, double>{{"pulls_total", 7},
                                                                   {"pull_wait_seconds_count", 7},
                                                                   {"pull_wait_seconds_p50", 0.25},
                                                                   {"pull_wait_seconds_p99", 0.5},
                                                                   {"pull_wait_seconds_sum", 1.75},
                                                                   {"rows", 9},
                                                                   {"users_count", 3}})
      figures.push_back({name, {{"id", id}}, value});
  const std::string text = prometheus_text(figures);
  for (const char* line : {"# TYPE dyad_pulls_total counter\ndyad_pulls_total{id=\"0\"} 7",
                           "# TYPE dyad_pull_wait_seconds summary\ndyad_pull_wait_seconds_count{id=\"0\"} 7",
                           "dyad_pull_wait_seconds_sum{id=\"1\"} 1.75",
                           "dyad_pull_wait_seconds{id=\"1\",quantile=\"0.5\"} 0.25",
                           "dyad_pull_wait_seconds{id=\"1\",quantile=\"0.99\"} 0.5",
                           "# TYPE dyad_rows gauge",
                           "# TYPE dyad_users_count gauge"})
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  EXPECT_EQ(text.find("_p50"), std::string::npos) << text;
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
