#include "coordinator/server/probes.h"

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include "coordinator/server/status_json.h"
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Health, FailsWhenTheControlLoopHasNotTurnedForAWhile) {
  EXPECT_EQ(health(0).status, 200);
  EXPECT_EQ(health(kLoopLateMs).status, 200);
  EXPECT_EQ(health(kLoopLateMs + 1).status, 503);
  EXPECT_THAT(health(9000).body, HasSubstr("9000 ms"));
}

class Probes : public testing::Test {
 protected:
  void SetUp() override { record(RunStarted{.workers = 2}); }
  void record(const Entry& entry) {
    core_.apply(entry, 0);
    past_.add(entry, 1.7e9);
  }
  void beat(const wire::Sender& sender, std::uint64_t step, std::map<std::string, double> figures) {
    ASSERT_TRUE(
        as<wire::HeartbeatReply>(core_.handle(sender, wire::Heartbeat{"training", Step{step}, figures}, 5, entries_)));
  }
  void all_join() {
    for (std::uint32_t i = 0; i < 2; ++i) {
      ASSERT_TRUE(as<wire::Registered>(core_.handle(server(i), wire::Register{"tcp://x"}, 1, entries_)));
      ASSERT_TRUE(as<wire::Registered>(core_.handle(worker(i), a_worker(), 1, entries_)));
    }
  }
  std::string metrics() { return metrics_text(core_, past_, 10); }
  TestPlan plan_{10, 2};
  TestStore store_;
  CoordinatorOptions options_{.job = "a", .servers = 2, .workers = 2, .leases = {.workers = 2, .epochs = 3}};
  Coordinator core_{options_, plan_, store_};
  Past past_{"/nowhere"};
  Entries entries_;
};

TEST_F(Probes, ReadyNamesWhoIsWaitedFor) {
  EXPECT_EQ(readiness(core_).status, 503);
  EXPECT_EQ(readiness(core_).body, "waiting for server 0, server 1, worker 0, worker 1\n");
  all_join();
  EXPECT_EQ(readiness(core_).status, 200);
}

TEST_F(Probes, MetricsTellHowTheJobIs) {
  all_join();
  beat(worker(0, 1), 12, {{"loss", 2.5}, {"learning_rate", 1e-3}, {"staleness_steps", 1}, {"nonsense", 1}});
  (void)core_.handle(server(1, 1), wire::CutPart{.step = Step{5}, .failure = "disk full"}, 5, entries_);
  record(GenerationBegan{3, "worker 1 was restarted"});
  record(CutCommitted{Step{10}, {1, 0}, "step-0000000010", {}});
  record(CutCommitted{Step{20}, {2, 0}, "step-0000000020", {}});
  for (const auto& [step, ndcg] : std::map<std::string, double>{{"10", 0.5}, {"20", 0.25}})
    record(Evaluated{"step-00000000" + step, "validation", {{"fusion/ndcg@10", ndcg}}});
  record(CutCommitted{Step{30}, {3, 0}, "step-0000000030", {}});
  const std::string text = metrics();
  for (const char* line :
       {"dyad_build_info{version=\"", "dyad_restarts_total 1\n", "dyad_last_checkpoint_timestamp_seconds 1700000000\n",
        "dyad_evaluation_backlog 1\n", "dyad_failed_cuts_total 1\n", "dyad_step 12\n", "dyad_total_steps 30\n",
        "dyad_epoch 2\n", "dyad_learning_rate{id=\"0\",role=\"worker\"} 0.001\n",
        "dyad_staleness_steps{id=\"0\",role=\"worker\"} 1\n",
        "dyad_ndcg{k=\"10\",list=\"fusion\",split=\"validation\",which=\"best\"} 0.5\n",
        "dyad_ndcg{k=\"10\",list=\"fusion\",split=\"validation\",which=\"newest\"} 0.25\n",
        "process_start_time_seconds{id=\"0\",role=\"coordinator\"} "})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("nonsense")));
}

// What `promtool check metrics` looks at, on the page as it is.
TEST_F(Probes, TheMetricsPageKeepsThePrometheusRules) {
  all_join();
  beat(server(0, 1), 12, {{"rows", 5}, {"pulls_total", 2}, {"apply_seconds.le.0.1", 1}, {"apply_seconds.sum", 1},
                          {"apply_seconds.count", 1}});
  std::map<std::string, std::string> kind;
  std::set<std::string> helped, seen;
  std::istringstream page(metrics());
  const std::regex sample("([a-z_][a-z0-9_]*)(\\{[^}]*\\})? [-+0-9.eInf]+");
  for (std::string line; std::getline(page, line);) {
    std::istringstream words(line);
    std::string hash, what, name;
    words >> hash >> what >> name;
    if (hash == "#" && what == "HELP") EXPECT_TRUE(helped.insert(name).second) << line;
    else if (hash == "#") words >> kind[name];
    else {
      std::smatch match;
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      EXPECT_TRUE(seen.insert(match[1].str() + match[2].str()).second) << "twice: " << line;
      std::string family = match[1];
      for (const std::string ending : {"_bucket", "_sum", "_count"})
        if (family.ends_with(ending)) family.resize(family.size() - ending.size());
      EXPECT_TRUE(helped.count(family) && kind.count(family)) << line;
      EXPECT_EQ(family.ends_with("_total"), kind[family] == "counter") << line;
      EXPECT_EQ(kind[family] == "histogram", family != match[1]) << line;
    }
  }
  EXPECT_GT(helped.size(), 20u);
}

TEST_F(Probes, AThousandCheckpointsMakeNoMoreSeriesThanTwo) {
  const auto series = [&] {
    const std::string text = metrics();
    return std::count(text.begin(), text.end(), '\n');
  };
  std::ptrdiff_t of_two = 0;
  for (int i = 1; i <= 1000; ++i) {
    const std::string folder = fmt::format("step-{:010}", i);
    record(CutCommitted{Step{static_cast<std::uint64_t>(i)}, {}, folder, {}});
    record(Evaluated{folder, "validation", {{"fusion/ndcg@10", 1.0 / i}}});
    if (i == 2) of_two = series();
  }
  EXPECT_EQ(series(), of_two);
}

TEST_F(Probes, StatusJsonHasTheFieldsThatAreDocumented) {
  all_join();
  beat(worker(0, 1), 12, {{"loss", 2.5}});
  past_.note(1, Step{2}, {}), past_.note(2, Step{12}, {{"loss", 2.5}});
  const auto status = nlohmann::json::parse(status_json(core_, past_, 10));
  EXPECT_EQ(status.at("schema"), kStatusSchema);
  EXPECT_EQ(status.at("step"), 12);
  EXPECT_EQ(status.at("total_steps"), 30);
  EXPECT_EQ(status.at("seconds_left"), 1.8);
  EXPECT_EQ(status.at("loss"), 2.5);
  EXPECT_EQ(status.at("processes").size(), 4u);
  std::ifstream in(DYAD_SOURCE_DIR "/docs/metrics.md");
  std::stringstream page;
  page << in.rdbuf();
  for (const auto& [name, value] : status.items()) EXPECT_THAT(page.str(), HasSubstr("| `" + name + "` |"));
}

}  // namespace
}  // namespace dyad::coordinator
