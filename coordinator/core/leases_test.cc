#include "coordinator/core/leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

using testing::HasSubstr;

class LeasesTest : public testing::Test {
 protected:
  explicit LeasesTest() : plan_(10, 2) {}
  Leases make(LeaseOptions options = {}) {
    options.workers = 2;
    if (options.epochs == 1) options.epochs = 4;
    Leases leases(options, plan_);
    leases.apply(RunStarted{.workers = 2});
    return leases;
  }
  wire::Lease get(Leases& leases, std::uint32_t rank, std::uint64_t epoch, std::uint64_t first) {
    return leases.acquire(WorkerRank{rank}, {epoch, first}, entries_).value();
  }
  Status give(Leases& leases, std::uint32_t rank, const wire::Lease& l, std::uint64_t end) {
    const Sum sum = plan_.part(l.epoch, l.first_batch, end, WorkerRank{rank});
    return leases.complete(WorkerRank{rank}, {l.id, end, sum.count, sum.checksum}, entries_);
  }
  void run_epoch(Leases& leases, std::uint32_t rank, std::uint64_t epoch, std::uint64_t first = 0) {
    for (;;) {
      const auto lease = get(leases, rank, epoch, first);
      if (lease.end_batch == lease.first_batch) return;
      ASSERT_TRUE(give(leases, rank, lease, lease.end_batch).has_value());
      first = lease.end_batch;
    }
  }
  TestPlan plan_;
  Entries entries_;
};

TEST_F(LeasesTest, AnEpochIsOneLeaseOrRangesOfLeaseBatchesTheSameForEveryRank) {
  auto whole = make();
  EXPECT_EQ(get(whole, 0, 0, 0).end_batch, 10u);
  auto cut = make({.lease_batches = 4});
  for (std::uint32_t rank : {0, 1}) {
    EXPECT_EQ(get(cut, rank, 0, 0).end_batch, 4u);
    EXPECT_EQ(get(cut, rank, 0, 4).end_batch, 8u);
    EXPECT_EQ(get(cut, rank, 0, 8).end_batch, 10u);
    EXPECT_EQ(get(cut, rank, 0, 10).end_batch, 10u) << "finished";
    EXPECT_EQ(get(cut, rank, 1, 0).end_batch, 4u);
  }
}

TEST_F(LeasesTest, RangesEndWhereACheckpointIsDueAndAtTheLastStep) {
  auto leases = make({.cut_steps = 7, .max_steps = 17});
  EXPECT_EQ(get(leases, 0, 0, 0).end_batch, 7u);          // step 7
  EXPECT_EQ(get(leases, 0, 0, 7).end_batch, 10u);
  EXPECT_EQ(get(leases, 0, 1, 0).end_batch, 4u);          // step 14
  EXPECT_EQ(get(leases, 0, 1, 4).end_batch, 7u);          // step 17
  EXPECT_EQ(get(leases, 0, 1, 7).end_batch, 7u) << "finished by max_steps";
}

TEST_F(LeasesTest, TheSameQuestionGetsTheSameLeaseAndAGapIsRefused) {
  auto leases = make({.lease_batches = 4});
  const auto lease = get(leases, 0, 0, 0);
  EXPECT_EQ(get(leases, 0, 0, 0).id, lease.id);
  EXPECT_THAT(leases.acquire(WorkerRank{0}, {0, 6}, entries_).error().message, HasSubstr("would be skipped"));
  EXPECT_THAT(leases.acquire(WorkerRank{0}, {1, 0}, entries_).error().message, HasSubstr("would be skipped"));
  EXPECT_THAT(leases.acquire(WorkerRank{0}, {9, 0}, entries_).error().message, HasSubstr("train.epochs = 4"));
}

TEST_F(LeasesTest, TheAuditPassesWhenEverySampleWasTrainedOnOnce) {
  auto leases = make({.lease_batches = 3});
  run_epoch(leases, 0, 0);
  EXPECT_TRUE(leases.audits().empty());
  run_epoch(leases, 1, 0);
  ASSERT_EQ(leases.audits().size(), 1u);
  EXPECT_THAT(leases.audits().at(0).text, HasSubstr("epoch 1: 60 samples, each exactly once"));
  EXPECT_FALSE(leases.audit_failed());
}

TEST_F(LeasesTest, OneSampleTakenForAnotherFailsTheAuditThoughTheCountIsRight) {
  auto leases = make();
  run_epoch(leases, 0, 0);
  const auto lease = get(leases, 1, 0, 0);
  Sum sum = plan_.part(0, 0, 10, WorkerRank{1});
  sum.checksum += 1;
  ASSERT_TRUE(leases.complete(WorkerRank{1}, {lease.id, 10, sum.count, sum.checksum}, entries_).has_value());
  EXPECT_TRUE(leases.audit_failed());
  EXPECT_THAT(leases.audits().at(0).text, HasSubstr("failed"));
}

TEST_F(LeasesTest, CompletingTwiceChangesNothingAndOtherFiguresAreRefused) {
  auto leases = make();
  const auto lease = get(leases, 0, 0, 0);
  ASSERT_TRUE(give(leases, 0, lease, 10).has_value());
  const std::size_t before = entries_.size();
  EXPECT_TRUE(give(leases, 0, lease, 10).has_value());
  EXPECT_EQ(entries_.size(), before);
  EXPECT_EQ(leases.complete(WorkerRank{0}, {lease.id, 10, 1, 2}, entries_).error().code, Code::kInvalid);
  EXPECT_EQ(leases.complete(WorkerRank{1}, {lease.id, 10, 30, 2}, entries_).error().code, Code::kInvalid)
      << "not its lease";
  EXPECT_EQ(leases.complete(WorkerRank{0}, {77, 10, 1, 2}, entries_).error().code, Code::kStale);
}

TEST_F(LeasesTest, AWorkerThatStopsEarlyAndGoesOnLaterIsAuditedLikeAnother) {
  auto leases = make();
  for (std::uint32_t rank : {0, 1}) ASSERT_TRUE(give(leases, rank, get(leases, rank, 0, 0), 6).has_value());
  EXPECT_TRUE(leases.complete_before({0, 6}));
  leases.apply(RunStarted{.workers = 2, .resume = Step{6}, .next = {0, 6}});
  for (std::uint32_t rank : {0, 1}) run_epoch(leases, rank, 0, 6);
  ASSERT_EQ(leases.audits().count(0), 1u);
  EXPECT_THAT(leases.audits().at(0).text, HasSubstr("60 samples, each exactly once"));
}

TEST_F(LeasesTest, ALeaseIsCompletedUpToABatchOfIts) {
  auto leases = make({.lease_batches = 5});
  (void)get(leases, 0, 0, 0);
  const auto lease = get(leases, 0, 0, 5);
  for (const std::uint64_t end : {0, 5, 11}) {
    const auto refused = leases.complete(WorkerRank{0}, {lease.id, end, 0, 0}, entries_);
    EXPECT_EQ(refused.error().code, Code::kInvalid) << end;
  }
  EXPECT_TRUE(give(leases, 0, lease, 6));
}

// Epochs are cut evenly, so that any batch may hold fewer samples than there are ranks. A sum alone does not tell how
// far a rank came whose part of a batch is empty: the resume after that looked for the end of its lease for ever.
TEST_F(LeasesTest, AStopAfterABatchWithoutASampleOfARankIsResumedAndAuditedLikeAnother) {
  struct OneRankHasNothing final : WorkPlan {
    std::uint64_t batches(std::uint64_t) override { return 4; }
    Sum whole() override {
      Sum all = part(0, 0, 4, WorkerRank{0});
      all.add(part(0, 0, 4, WorkerRank{1}));
      return all;
    }
    Sum part(std::uint64_t, std::uint64_t first, std::uint64_t end, WorkerRank rank) override {
      Sum sum;
      for (std::uint64_t b = first; b < end; ++b)
        if (rank.value == 0 || (b != 0 && b != 3)) sum.add({1, mix64(b, rank.value)});
      return sum;
    }
  } plan;
  for (const std::uint64_t stop : {1, 3}) {
    Leases leases({.workers = 2, .epochs = 2}, plan);
    leases.apply(RunStarted{.workers = 2});
    const auto done = [&](std::uint32_t rank, std::uint64_t first, std::uint64_t end) {
      const auto lease = get(leases, rank, 0, first);
      const Sum sum = plan.part(0, first, end, WorkerRank{rank});
      EXPECT_TRUE(leases.complete(WorkerRank{rank}, {lease.id, end, sum.count, sum.checksum}, entries_));
    };
    for (std::uint32_t rank : {0, 1}) done(rank, 0, stop);
    leases.apply(RunStarted{.workers = 2, .resume = Step{stop}, .next = {0, stop}});
    for (std::uint32_t rank : {0, 1}) done(rank, stop, 4);
    ASSERT_EQ(leases.audits().size(), 1u);
    EXPECT_THAT(leases.audits().at(0).text, HasSubstr("epoch 1: 6 samples, each exactly once"));
  }
}

TEST_F(LeasesTest, ResumedWithAnotherNumberOfWorkersTheRestOfTheEpochIsAudited) {
  auto leases = make({.lease_batches = 5});
  leases.apply(RunStarted{.workers = 3, .resume = Step{5}, .next = {0, 5}});
  for (std::uint32_t rank : {0, 1}) run_epoch(leases, rank, 0, 5);
  EXPECT_THAT(leases.audits().at(0).text, HasSubstr("30 samples from batch 5 on, each exactly once"));
}

TEST_F(LeasesTest, ARestartedWorkerDoesAgainWhatLiesBeyondTheCut) {
  auto leases = make({.lease_batches = 5});
  for (std::uint32_t rank : {0, 1}) run_epoch(leases, rank, 0);
  ASSERT_EQ(leases.audits().size(), 1u);
  for (std::uint32_t rank : {0, 1}) leases.release(WorkerRank{rank}, {0, 5}, entries_);
  EXPECT_TRUE(leases.audits().empty());
  const auto again = get(leases, 0, 0, 5);
  EXPECT_EQ(again.end_batch, 10u);
  for (std::uint32_t rank : {0, 1}) run_epoch(leases, rank, 0, 5);
  EXPECT_TRUE(leases.audits().at(0).passed);
}

}  // namespace
}  // namespace dyad::coordinator
