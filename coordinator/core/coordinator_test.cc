// Cuts, evaluations and the end of a job, through the whole core. The seeded simulation is simulation_test.cc.
#include "coordinator/core/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "coordinator/testing/test_plan.h"
#include "common/wire/codec.h"

namespace dyad::coordinator {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class CoordinatorTest : public testing::Test {
 protected:
  void SetUp() override {
    core_.apply(RunStarted{.workers = 2}, 0);
    for (std::uint32_t i = 0; i < 2; ++i) {
      ASSERT_TRUE(ask<wire::Registered>(server(i), wire::Register{"tcp://x"}).has_value());
      ASSERT_TRUE(ask<wire::Registered>(worker(i), a_worker()).has_value());
    }
  }
  template <class T>
  Result<T> ask(const wire::Sender& sender, const wire::Body& body) {
    return as<T>(core_.handle(sender, body, now_, entries_));
  }
  Result<bool> part(const wire::Sender& sender, std::uint64_t step, std::vector<wire::FilePart> files = {}) {
    wire::CutPart message{Step{step}, std::move(files)};
    if (sender.role == wire::Role::kWorker)
      message.facts = {{"epoch", std::to_string(step / 10)}, {"next_batch", std::to_string(step % 10)}};
    DYAD_TRY(status, ask<wire::CutStatus>(sender, message));
    return status.committed;
  }
  std::string given_up(const wire::Sender& sender, std::uint64_t step) {
    wire::CutPart message{.step = Step{step}, .facts = {{"epoch", "1"}, {"next_batch", "0"}}};
    return ask<wire::CutStatus>(sender, message).value().given_up;
  }
  void commit(std::uint64_t step) {
    for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), step);
    EXPECT_TRUE(part(worker(0, 1), step).value());
  }
  void evaluate(std::uint64_t step, double ndcg, const std::string& split = "validation") {
    EXPECT_TRUE(ask<wire::Ack>({wire::Role::kTool, 0, {}},
                               wire::EvalResult{store_.path(Step{step}), split, {{kBestMetric, ndcg}}})
                    .has_value());
  }
  TestPlan plan_{10, 2};
  TestStore store_;
  Coordinator core_{{.servers = 2,
                     .workers = 2,
                     .groups = 4,
                     .keep = 2,
                     .leases = {.workers = 2, .lease_batches = 5, .epochs = 100},
                     .dead_after_ms = 1000},
                    plan_,
                    store_};
  Entries entries_;
  Millis now_ = 0;
};

TEST_F(CoordinatorTest, TheRoutingSaysTheTablesOfTheWorkersAndOneThatHasOthersIsRefused) {
  EXPECT_EQ(ask<wire::Routing>(server(0, 1), wire::GetRouting{}).value().tables, tables_for_test());
  const wire::Register narrow{.tables = tables_for_test({.widths = {8, 4, 8}})};
  const auto other = ask<wire::Registered>(worker(1), narrow);
  EXPECT_THAT(other.error().message, HasSubstr("table code.behaviour has rows of 4 floats, not 8"));
  EXPECT_FALSE(ask<wire::Registered>(worker(1), wire::Register{}).has_value()) << "none at all";
  EXPECT_EQ(ask<wire::Routing>(server(0, 7), wire::GetRouting{}).error().code, Code::kStale) << "a stranger";
  (void)ask<wire::Registered>(server(1), wire::Register{"tcp://x"});
  EXPECT_EQ(ask<wire::Routing>(server(0, 1), wire::GetRouting{}).error().code, Code::kStale)
      << "of the generation before: it would wait for itself";
}

TEST_F(CoordinatorTest, AMessageOfAnotherLifeOfTheJobIsStaleNamingBothWhateverItsIncarnation) {
  core_.apply(RunStarted{.workers = 2, .run = RunId{0xb}}, 0);
  for (std::uint32_t i = 0; i < 2; ++i)
    EXPECT_EQ(ask<wire::Registered>(server(i), wire::Register{"tcp://x"}).value().run, RunId{0xb});
  auto old = core_.membership().members().at({wire::Role::kServer, 0}).joined.incarnation;
  const wire::Sender leftover{wire::Role::kServer, 0, old, RunId{0xa}}, now{wire::Role::kServer, 0, old, RunId{0xb}};
  for (const wire::Body& body : std::vector<wire::Body>{wire::Goodbye{"done"}, wire::Heartbeat{}, wire::GetRouting{},
                                                        wire::CutPart{Step{5}, {{"rows/a", 1, 1}}, {}}}) {
    const auto answer = as<wire::Ack>(core_.handle(leftover, body, now_, entries_));
    EXPECT_EQ(answer.error().code, Code::kStale) << wire::body_name(body);
    EXPECT_EQ(answer.error().message,
              "server 0 belongs to run 000000000000000a of the job, this is run 000000000000000b: its life is over, it "
              "leaves");
  }
  EXPECT_FALSE(core_.membership().members().at({wire::Role::kServer, 0}).left);
  EXPECT_FALSE(core_.cuts().any_pending());
  EXPECT_TRUE(ask<wire::Ack>(now, wire::Goodbye{"done"}).has_value());
}

TEST_F(CoordinatorTest, ACutCommitsWhenTheLastPartIsThereInAnyOrderAndTwice) {
  EXPECT_FALSE(part(worker(0, 1), 20).value());
  EXPECT_FALSE(part(server(1, 1), 20).value());
  EXPECT_FALSE(part(server(1, 1), 20).value());
  EXPECT_TRUE(store_.exist.empty());
  EXPECT_TRUE(part(server(0, 1), 20).value());
  EXPECT_TRUE(part(server(1, 1), 20).value()) << "asking again after the commit";
  EXPECT_EQ(store_.exist, std::set<Step>{Step{20}});
  EXPECT_EQ(given_up(server(0, 1), 10), "cut 20 is committed already");
}

TEST_F(CoordinatorTest, ACutThatWasCommittedAndReplacedSinceIsNotCalledGivenUp) {
  for (const std::uint64_t step : {10, 20, 30, 40}) commit(step);
  core_.tick(now_, entries_);
  ASSERT_FALSE(core_.cuts().is_committed(Step{10}));
  EXPECT_TRUE(part(server(1, 1), 10).value());
  EXPECT_EQ(given_up(server(1, 1), 15), "cut 40 is committed already") << "this one never was";
}

TEST_F(CoordinatorTest, ACutWaitsForTheLeasesBeforeIt) {
  wire::Lease leases[2];
  for (std::uint32_t r = 0; r < 2; ++r) leases[r] = ask<wire::Lease>(worker(r, 1), wire::AcquireLease{0, 0}).value();
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), 5);
  EXPECT_FALSE(part(worker(0, 1), 5).value());
  for (std::uint32_t r = 0; r < 2; ++r) {
    EXPECT_FALSE(core_.cuts().is_committed(Step{5}));
    const Sum sum = plan_.part(0, 0, 5, WorkerRank{r});
    const wire::CompleteLease done{leases[r].id, 5, sum.count, sum.checksum};
    ASSERT_TRUE(ask<wire::Ack>(worker(r, 1), done).has_value());
  }
  EXPECT_TRUE(core_.cuts().is_committed(Step{5}));
}

TEST_F(CoordinatorTest, BadPartsAreRefused) {
  EXPECT_THAT(ask<wire::CutStatus>(worker(0, 1), wire::CutPart{Step{5}}).error().message, HasSubstr("\"epoch\""));
  EXPECT_EQ(part(worker(1, 1), 5).error().code, Code::kInvalid);
  for (const char* path : {"../x", "/etc/x", "", "rows/../../x", "a//b"})
    EXPECT_EQ(part(server(0, 1), 5, {{path, 1, 1}}).error().code, Code::kInvalid) << path;
  ASSERT_TRUE(part(server(0, 1), 5, {{"rows/a", 1, 1}}).has_value());
  EXPECT_THAT(part(server(1, 1), 5, {{"rows/a", 1, 1}}).error().message, HasSubstr("somebody else wrote rows/a"));
}

TEST_F(CoordinatorTest, AManifestThatCannotBeWrittenCommitsNothingUntilItCan) {
  store_.broken = true;
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), 20);
  EXPECT_FALSE(part(worker(0, 1), 20).value()) << "tried again, nobody leaves";
  store_.broken = false;
  EXPECT_TRUE(part(worker(0, 1), 20).value());
  store_.broken = true;
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), 30);
  for (; now_ < 30'000; now_ += 1000) EXPECT_EQ(given_up(worker(0, 1), 30), "") << now_;
  EXPECT_EQ(given_up(worker(0, 1), 30), "disk full") << "not for ever";
}

TEST_F(CoordinatorTest, ACutThatANewGenerationWritesAgainHasAllItsTimeAgain) {
  store_.broken = true;
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), 20);
  EXPECT_EQ(given_up(worker(0, 1), 20), "");
  now_ = 29'000;
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Registered>(server(i), wire::Register{"tcp://x"});
  (void)ask<wire::Registered>(worker(0), a_worker());
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 2), 20);
  for (const Millis later : {0, 2'000, 29'000}) {
    now_ = 29'000 + later;
    EXPECT_EQ(given_up(worker(0, 2), 20), "") << now_;
  }
  now_ = 59'000;
  EXPECT_EQ(given_up(worker(0, 2), 20), "disk full");
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Registered>(server(i), wire::Register{"tcp://x"});
  (void)ask<wire::Registered>(worker(0), a_worker());
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 3), 20);
  EXPECT_EQ(given_up(worker(0, 3), 20), "") << "given up once is not given up at once";
}

TEST_F(CoordinatorTest, ACutOfWhichAPartCannotBeWrittenIsGivenUpAndTheNextIsTried) {
  EXPECT_FALSE(part(worker(0, 1), 20).value());
  EXPECT_FALSE(part(server(0, 1), 20).value());
  const wire::CutPart failed{.step = Step{20}, .failure = "no space left"};
  EXPECT_EQ(ask<wire::CutStatus>(worker(1, 1), failed).error().code, Code::kInvalid) << "it has no part in a cut";
  EXPECT_EQ(ask<wire::CutStatus>(server(1, 1), failed).value().given_up, "server 1: no space left");
  EXPECT_EQ(given_up(worker(0, 1), 20), "server 1: no space left") << "everybody learns of it";
  EXPECT_FALSE(core_.cuts().any_pending());
  EXPECT_THAT(store_.dropped, ElementsAre(Step{20})) << "its room is needed";
  EXPECT_EQ(core_.cuts().all_given_up().count, 1u);
  EXPECT_EQ(core_.cuts().all_given_up().last.why, "server 1: no space left");
  EXPECT_EQ(core_.cuts().failed(), 1u);
  commit(30);
  EXPECT_THAT(store_.exist, ElementsAre(Step{30}));
}

TEST_F(CoordinatorTest, ACutGivenUpBeforeTheCoordinatorWasRestartedIsToldOfButIsNoNewFailure) {
  (void)ask<wire::CutStatus>(server(1, 1), wire::CutPart{.step = Step{20}, .failure = "no space left"});
  ASSERT_EQ(core_.cuts().failed(), 1u);
  Coordinator restarted{core_.options(), plan_, store_};
  restarted.apply(RunStarted{.workers = 2}, 0);
  for (const Entry& entry : entries_) restarted.apply(entry, 0);
  EXPECT_EQ(restarted.cuts().all_given_up().count, 1u);
  EXPECT_EQ(restarted.cuts().failed(), 0u);
}

TEST_F(CoordinatorTest, AfterARestartAStepWhoseCutWasGivenUpMayBeCutAgain) {
  (void)ask<wire::CutStatus>(server(1, 1), wire::CutPart{.step = Step{20}, .failure = "no space left"});
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Registered>(server(i), wire::Register{"tcp://x"});
  (void)ask<wire::Registered>(worker(0), a_worker());
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 2), 20);
  EXPECT_TRUE(part(worker(0, 2), 20).value());
}

TEST_F(CoordinatorTest, AFailedAuditEndsTheJobAtOnce) {
  std::string why;
  for (std::uint32_t r = 0; r < 2; ++r)
    for (std::uint64_t first : {0, 5}) {
      EXPECT_EQ(core_.end(now_, why), Coordinator::End::kNotYet);
      const auto lease = ask<wire::Lease>(worker(r, 1), wire::AcquireLease{0, first}).value();
      Sum sum = plan_.part(0, first, first + 5, WorkerRank{r});
      sum.checksum += first;                     // one sample doubled, another skipped
      const wire::CompleteLease done{lease.id, first + 5, sum.count, sum.checksum};
      ASSERT_TRUE(ask<wire::Ack>(worker(r, 1), done).has_value());
    }
  EXPECT_EQ(core_.end(now_, why), Coordinator::End::kFailed);
  EXPECT_THAT(why, HasSubstr("audit"));
}

TEST_F(CoordinatorTest, TheNewestAndTheBestAreKeptAndTestFiguresChooseNothing) {
  commit(10);
  evaluate(10, 0.5);
  commit(20);
  evaluate(20, 0.5);
  EXPECT_EQ(store_.best, Step{10}) << "a tie: the earlier";
  commit(30);
  evaluate(30, 0.9, "test");
  commit(40);
  EXPECT_THAT(store_.exist, Contains(Step{20})) << "goes once the new one is in the journal";
  core_.tick(now_, entries_);
  EXPECT_THAT(store_.exist, ElementsAre(Step{10}, Step{30}, Step{40}));
  evaluate(40, 0.6);
  EXPECT_EQ(store_.best, Step{40});
  commit(50);
  core_.tick(now_, entries_);
  EXPECT_THAT(store_.exist, ElementsAre(Step{40}, Step{50}));
}

TEST_F(CoordinatorTest, AResultCountsOnlyForTheContentAndTheSettingsItWasMadeWith) {
  const auto tell = [&](std::uint64_t step, std::uint64_t manifest, const std::string& settings, double ndcg = 0.5) {
    wire::EvalResult result{store_.path(Step{step}), "validation", {{kBestMetric, ndcg}}, manifest, settings};
    const auto answer = ask<wire::Ack>({wire::Role::kTool, 0, {}}, result);
    return answer.has_value() ? Code{0} : answer.error().code;
  };
  core_.apply(RunStarted{.workers = 2, .eval = {{"validation", "20 beams"}}}, 0);
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Registered>(server(i), wire::Register{"tcp://x"});
  (void)ask<wire::Registered>(worker(0), a_worker());
  const auto commit_as = [&](std::uint64_t step, std::uint64_t manifest, std::uint64_t incarnation) {
    store_.manifest = manifest;
    for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, incarnation), step);
    EXPECT_TRUE(part(worker(0, incarnation), step).value());
  };
  commit_as(10, 0xa, 2);
  commit_as(20, 0xb, 2);
  EXPECT_EQ(tell(30, 0xa, "20 beams"), Code::kStale) << "there is no such checkpoint";
  EXPECT_EQ(tell(10, 0xc, "20 beams"), Code::kStale) << "it holds something else";
  EXPECT_EQ(tell(10, 0xa, "50 beams"), Code::kInvalid) << "the figures do not compare";
  EXPECT_EQ(tell(10, 0xa, "20 beams", 0.1), Code{0});
  EXPECT_EQ(tell(20, 0xb, "20 beams", 0.2), Code{0});
  EXPECT_EQ(store_.best, Step{20});
  core_.apply(RunStarted{.workers = 2, .resume = Step{10}, .eval = {{"validation", "20 beams"}}}, 0);   // 20 is damaged
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Registered>(server(i), wire::Register{"tcp://x"});
  (void)ask<wire::Registered>(worker(0), a_worker());
  commit_as(20, 0xd, 3);
  EXPECT_EQ(core_.evaluations().best(core_.cuts().committed()), Step{10}) << "20 has other weights now";
  core_.apply(RunStarted{.workers = 2, .resume = Step{20}, .eval = {{"validation", "50 beams"}}}, 0);
  EXPECT_EQ(core_.evaluations().best(core_.cuts().committed()), Step{0}) << "all are evaluated again";
}

TEST(Evaluations, OfAJournalOfBeforeAnyResultOfItsCheckpointsIsTaken) {
  Evaluations evaluations;
  Entries entries;
  const std::map<Step, CutCommitted> committed{{Step{10}, {Step{10}, {}, "step-0000000010", {}}}};
  evaluations.apply(RunStarted{.workers = 2});
  const wire::EvalResult result{"step-0000000010", "validation", {{kBestMetric, 0.5}}, 0xa, "20 beams"};
  ASSERT_TRUE(evaluations.record(result, committed, entries).has_value());
  EXPECT_EQ(evaluations.best(committed), Step{10});
}

TEST_F(CoordinatorTest, ResultsOfOneCheckpointAreBounded) {
  commit(10);
  for (int i = 0; i < 64; ++i) evaluate(10, 0.001 * i);
  const wire::EvalResult more{store_.path(Step{10}), "validation", {{kBestMetric, 0.9}}};
  EXPECT_EQ(ask<wire::Ack>({wire::Role::kTool, 0, {}}, more).error().code, Code::kOverloaded);
  const wire::EvalResult strange{store_.path(Step{10}), "train", {{kBestMetric, 0.9}}};
  EXPECT_EQ(ask<wire::Ack>({wire::Role::kTool, 0, {}}, strange).error().code, Code::kInvalid);
}

// Cuts 10, 20 ... as a job makes them; those of `evaluated` have a result. What goes, and whether unevaluated.
std::vector<std::pair<std::uint64_t, bool>> going(const CutsOptions& options, std::uint64_t cuts,
                                                  const std::set<Step>& evaluated, Step best = Step{0}) {
  Cuts core(options);
  for (std::uint64_t i = 1; i <= cuts; ++i) core.apply(CutCommitted{Step{10 * i}, {}, "", {}});
  std::vector<std::pair<std::uint64_t, bool>> steps;
  for (const OldCut& old : core.to_remove(best, evaluated)) steps.emplace_back(old.step.value, old.unevaluated);
  return steps;
}

TEST(Cuts, WithoutAResultTheyStayUpToABoundThenTheOldestGoes) {
  using Going = std::vector<std::pair<std::uint64_t, bool>>;
  EXPECT_EQ(going({.keep = 2}, 4, {}), (Going{{10, false}, {20, false}})) << "a job that is not evaluated";
  const CutsOptions waiting{.keep = 2, .unevaluated_max = unevaluated_max_for(2)};
  EXPECT_EQ(going(waiting, 4, {}), Going{});
  EXPECT_EQ(going(waiting, 6, {}), (Going{{10, true}, {20, true}}));
  EXPECT_EQ(going(waiting, 6, {Step{20}, Step{30}}), (Going{{20, false}, {30, false}}));
  EXPECT_EQ(going(waiting, 6, {Step{20}, Step{30}}, Step{20}), (Going{{30, false}}));
  EXPECT_EQ(going(waiting, 6, {Step{50}}, Step{50}), (Going{{10, true}})) << "the newest ones wait, too";
}

TEST_F(CoordinatorTest, ARestartDropsHalfACutAndSendsEverybodyBackToTheLastOne) {
  commit(20);
  (void)part(server(0, 1), 30);
  (void)part(worker(0, 1), 30);
  const auto again = ask<wire::Registered>(worker(1), a_worker()).value();
  EXPECT_EQ(again.resume, Step{20});
  EXPECT_EQ(again.checkpoint, store_.path(Step{20}));
  EXPECT_EQ(part(server(1, 1), 30).error().code, Code::kStale) << "of the generation before";
  EXPECT_FALSE(core_.cuts().any_pending());
}

TEST_F(CoordinatorTest, TheJobEndsWhenAllLeftAndNotWhileACutIsOpen) {
  std::string why;
  (void)part(worker(0, 1), 20);
  for (std::uint32_t i = 0; i < 2; ++i) ASSERT_TRUE(ask<wire::Ack>(worker(i, 1), wire::Goodbye{"done"}).has_value());
  core_.tick(now_ = 10, entries_);
  EXPECT_EQ(ask<wire::HeartbeatReply>(server(0, 1), wire::Heartbeat{}).value().command, wire::Command::kNone);
  for (std::uint32_t i = 0; i < 2; ++i) (void)part(server(i, 1), 20);
  core_.tick(now_ = 20, entries_);
  EXPECT_EQ(core_.end(now_, why), Coordinator::End::kNotYet);
  for (std::uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(ask<wire::HeartbeatReply>(server(i, 1), wire::Heartbeat{}).value().command, wire::Command::kStop);
    ASSERT_TRUE(ask<wire::Ack>(server(i, 1), wire::Goodbye{"done"}).has_value());
  }
  EXPECT_EQ(core_.end(now_, why), Coordinator::End::kDone);
}

TEST_F(CoordinatorTest, ALatePartIsWaitedForWhileItsServerLivesAndGivenUpWhenItIsLost) {
  const auto everybody_lives = [&] {
    for (std::uint32_t i = 0; i < 2; ++i)
      for (const auto& sender : {server(i, 1), worker(i, 1)})
        (void)ask<wire::HeartbeatReply>(sender, wire::Heartbeat{});
    core_.tick(now_, entries_);
  };
  (void)part(server(0, 1), 20);
  for (; now_ < 100'000; now_ += 500) {                            // a hundred times dead_after_ms
    everybody_lives();
    ASSERT_FALSE(part(worker(0, 1), 20).value());
  }
  EXPECT_TRUE(part(server(1, 1), 20).value());
  EXPECT_TRUE(part(worker(0, 1), 20).value());
  (void)part(server(0, 1), 30);
  ASSERT_TRUE(ask<wire::Ack>(server(1, 1), wire::Goodbye{"stopped"}).has_value());
  const auto given_up = part(worker(0, 1), 30);
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, Code::kStale);
  EXPECT_THAT(given_up.error().message, HasSubstr("server 1 left without its part"));
}

TEST_F(CoordinatorTest, ASilentServerGivesItsCutUp) {
  (void)part(server(0, 1), 20);
  ASSERT_FALSE(part(worker(0, 1), 20).value());
  for (; now_ < 2000; now_ += 100) {
    for (const auto& sender : {server(0, 1), worker(0, 1), worker(1, 1)})
      (void)ask<wire::HeartbeatReply>(sender, wire::Heartbeat{});
    core_.tick(now_, entries_);
  }
  EXPECT_EQ(part(worker(0, 1), 20).error().code, Code::kStale);
}

TEST_F(CoordinatorTest, ACutThatNeverCompletesFailsTheJobNamingWhoIsMissing) {
  (void)part(worker(0, 1), 20);
  (void)part(server(1, 1), 20);
  for (std::uint32_t i = 0; i < 2; ++i) (void)ask<wire::Ack>(worker(i, 1), wire::Goodbye{"done"});
  core_.tick(10, entries_);
  std::string why;
  EXPECT_EQ(core_.end(5000, why), Coordinator::End::kFailed);
  EXPECT_THAT(why, HasSubstr("missing server 0"));
}

}  // namespace
}  // namespace dyad::coordinator
