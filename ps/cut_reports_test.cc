#include "ps/cut_reports.h"

#include <thread>
#include <gtest/gtest.h>

namespace dyad::ps {
namespace {

wire::CutStatus unsettled(Step step) { return {.step = step}; }

// Answers parts from a list and keeps what it was told; nothing else is asked of it.
class Coordinator final : public control::ControlClient {
 public:
  std::deque<Result<wire::CutStatus>> answers;
  std::vector<Step> told;
  std::vector<std::string> failures;

  Result<wire::CutStatus> cut_part(const wire::CutPart& part, int timeout_ms) override {
    EXPECT_EQ(timeout_ms, 0) << "a server does not wait for the commit";
    told.push_back(part.step);
    if (!part.failure.empty()) failures.push_back(part.failure);
    if (answers.empty()) return unsettled(part.step);
    auto next = std::move(answers.front());
    answers.pop_front();
    return next;
  }
  Result<wire::Registered> register_(const wire::Register&) override { return none(); }
  Result<wire::Routing> wait_routing(int) override { return none(); }
  Result<wire::Command> heartbeat(const wire::Heartbeat&) override { return none(); }
  Result<wire::Lease> acquire_lease(std::uint64_t, std::uint64_t) override { return none(); }
  Status complete_lease(const wire::CompleteLease&) override { return none(); }
  Status report_eval(const wire::EvalResult&) override { return none(); }
  Status goodbye(const std::string&, int) override { return none(); }
  Incarnation incarnation() const override { return {}; }

 private:
  static Error none() { return fail(Code::kFailed, "not asked for here"); }
};

const CutReports::Parts kParts{{"rows/g0000.rows", 10, 1}};
wire::CutStatus committed(std::uint64_t step) { return {.step = Step{step}, .committed = true}; }

TEST(CutReports, APartIsSaidAgainUntilItsCutIsCommitted) {
  CutReports reports(0.01);
  Coordinator coordinator;
  coordinator.answers = {unsettled(Step{5}), unsettled(Step{5}), committed(5)};
  reports.put(Step{5}, kParts);
  EXPECT_FALSE(reports.all_settled());
  for (int i = 0; i < 20 && !reports.all_settled(); ++i) ASSERT_TRUE(reports.run(coordinator, 20));
  EXPECT_TRUE(reports.all_settled());
  EXPECT_EQ(coordinator.told, (std::vector<Step>{Step{5}, Step{5}, Step{5}}));
}

TEST(CutReports, ACoordinatorThatIsAwayIsToldWhenItIsBack) {
  CutReports reports(0.01);
  Coordinator coordinator;
  coordinator.answers = {fail(Code::kDisconnected, "away"), committed(5)};
  reports.put(Step{5}, kParts);
  ASSERT_TRUE(reports.run(coordinator, 0));
  EXPECT_FALSE(reports.all_settled());
  for (int i = 0; i < 20 && !reports.all_settled(); ++i) ASSERT_TRUE(reports.run(coordinator, 20));
  EXPECT_TRUE(reports.all_settled());
}

TEST(CutReports, ACutThatWasGivenUpIsForgottenAndLaterOnesAreSaid) {
  CutReports reports(0.01);
  Coordinator coordinator;
  coordinator.answers = {fail(Code::kStale, "given up"), committed(6)};
  reports.put(Step{5}, kParts);
  reports.put(Step{6}, kParts);
  ASSERT_TRUE(reports.run(coordinator, 0));
  EXPECT_TRUE(reports.all_settled());
  EXPECT_EQ(coordinator.told, (std::vector<Step>{Step{5}, Step{6}}));
}

TEST(CutReports, APartThatCouldNotBeWrittenIsSaidSoAndItsCutGivenUp) {
  CutReports reports(0.01);
  Coordinator coordinator;
  wire::CutStatus given_up = unsettled(Step{5});
  given_up.given_up = "disk full";
  coordinator.answers = {given_up, fail(Code::kInvalid, "no such file")};
  reports.put(Step{5}, fail(Code::kFailed, "disk full"));
  ASSERT_TRUE(reports.run(coordinator, 0));
  EXPECT_EQ(coordinator.failures, std::vector<std::string>{"disk full"});
  EXPECT_TRUE(reports.all_settled());
  reports.put(Step{6}, kParts);
  EXPECT_EQ(reports.run(coordinator, 0).error().message, "no such file");
}

TEST(CutReports, APartFromAnotherThreadEndsTheWait) {
  CutReports reports(0.01);
  Coordinator coordinator;
  coordinator.answers = {committed(5)};
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    reports.put(Step{5}, kParts);
  });
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(reports.run(coordinator, 20000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  writer.join();
  EXPECT_EQ(coordinator.told, std::vector<Step>{Step{5}});
}

}  // namespace
}  // namespace dyad::ps
