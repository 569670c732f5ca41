#include "worker/train/step_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace dyad::worker {
namespace {

using testing::HasSubstr;

std::vector<StepPlace> all(const StepOrderOptions& options, const Cursor& from) {
  StepOrder order(options, from);
  std::vector<StepPlace> places;
  while (const auto place = order.next()) places.push_back(*place);
  return places;
}

TEST(StepOrder, CountsStepsOverEpochsAndMarksTheirEnds) {
  const auto places = all({.batches = 3, .epochs = 2}, {});
  ASSERT_EQ(places.size(), 6u);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i].step, Step{i + 1});
    EXPECT_EQ(places[i].epoch, i / 3);
    EXPECT_EQ(places[i].batch, i % 3);
    EXPECT_EQ(places[i].last_of_epoch, i % 3 == 2);
    EXPECT_EQ(places[i].last_of_job, i == 5);
  }
}

TEST(StepOrder, GoesOnFromEveryCursorAsIfItHadNeverStopped) {
  for (const std::uint64_t bound : {0, 5, 6, 7}) {
    const StepOrderOptions options{.batches = 3, .epochs = 3, .steps_max = bound};
    const auto whole = all(options, {});
    EXPECT_EQ(whole.size(), bound == 0 ? 9u : bound);
    EXPECT_TRUE(whole.back().last_of_job);
    for (std::size_t done = 1; done <= whole.size(); ++done) {
      const auto rest = all(options, whole[done - 1].after());
      ASSERT_EQ(rest.size(), whole.size() - done);
      for (std::size_t i = 0; i < rest.size(); ++i) {
        EXPECT_EQ(rest[i].step, whole[done + i].step);
        EXPECT_EQ(rest[i].after(), whole[done + i].after());
        EXPECT_EQ(rest[i].last_of_job, whole[done + i].last_of_job);
      }
    }
  }
}

TEST(StepProtocol, CutsAtEpochsStepsAndTheEnd) {
  const config::Checkpoint by_epoch{.every_epochs = 2, .every_steps = 0};
  EXPECT_FALSE(is_cut(by_epoch, {.step = Step{10}, .epoch = 0, .last_of_epoch = true}));
  EXPECT_TRUE(is_cut(by_epoch, {.step = Step{20}, .epoch = 1, .last_of_epoch = true}));
  EXPECT_FALSE(is_cut(by_epoch, {.step = Step{19}, .epoch = 1}));
  EXPECT_TRUE(is_cut(by_epoch, {.step = Step{7}, .epoch = 0, .last_of_job = true}));
  const config::Checkpoint by_step{.every_epochs = 0, .every_steps = 5};
  EXPECT_TRUE(is_cut(by_step, {.step = Step{15}}));
  EXPECT_FALSE(is_cut(by_step, {.step = Step{16}, .last_of_epoch = true}));
}

TEST(StepProtocol, RowsMayBeAsOldAsTheModeSaysButNoOlderThanTheLastCut) {
  const auto floor = [](const char* mode, std::uint64_t step, std::uint64_t cut) {
    config::Train train;
    train.mode = mode;
    train.staleness = 3;
    const config::Checkpoint cuts;
    StepProtocol protocol(train, cuts, Step{0});
    if (cut > 0) protocol.cut(Step{cut});
    return protocol.pull_floor(Step{step}).value;
  };
  EXPECT_EQ(floor("sync", 1, 0), 0u);
  EXPECT_EQ(floor("sync", 9, 0), 8u);
  EXPECT_EQ(floor("ssp", 9, 0), 5u);
  EXPECT_EQ(floor("ssp", 2, 0), 0u);
  EXPECT_EQ(floor("async", 9, 0), 0u);
  EXPECT_EQ(floor("ssp", 9, 7), 7u);
  EXPECT_EQ(floor("async", 9, 7), 7u);
}

class LeasesOfARank : public testing::Test {
 protected:
  config::Train train_;
  config::Checkpoint cuts_;
  StepProtocol protocol_{train_, cuts_, Step{0}};
  static StepPlace at(std::uint64_t batch, bool last = false) {
    return {.step = Step{batch + 1}, .epoch = 0, .batch = batch, .last_of_epoch = last};
  }
};

TEST_F(LeasesOfARank, ALeaseIsAskedForWhereOneEndsAndCompletedWithWhatItCounted) {
  ASSERT_TRUE(protocol_.wants(at(0)));
  EXPECT_EQ(protocol_.wants(at(0))->first_batch, 0u);
  ASSERT_TRUE(protocol_.leased(at(0), {.id = 7, .epoch = 0, .first_batch = 0, .end_batch = 2}));
  EXPECT_FALSE(protocol_.wants(at(0)));
  EXPECT_FALSE(protocol_.trained(at(0), 10, 100, false));
  EXPECT_FALSE(protocol_.wants(at(1)));
  const auto complete = protocol_.trained(at(1), 11, ~std::uint64_t{0}, false);
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->id, 7u);
  EXPECT_EQ(complete->count, 21u);
  EXPECT_EQ(complete->checksum, 99u) << "sums wrap";
  EXPECT_EQ(protocol_.wants(at(2))->first_batch, 2u);
  ASSERT_TRUE(protocol_.leased(at(2), {.id = 8, .epoch = 0, .first_batch = 2, .end_batch = 9}));
  const auto end = protocol_.trained(at(2, true), 1, 5, false);
  ASSERT_TRUE(end) << "an epoch's end ends its lease";
  EXPECT_EQ(end->count, 1u) << "the next counts from nothing";
}

TEST_F(LeasesOfARank, OneThatStopsEarlyCompletesWhatItHas) {
  ASSERT_TRUE(protocol_.leased(at(0), {.id = 7, .epoch = 0, .first_batch = 0, .end_batch = 9}));
  EXPECT_FALSE(protocol_.trained(at(0), 3, 4, false));
  const auto complete = protocol_.trained(at(1), 3, 4, true);
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->count, 6u);
}

TEST_F(LeasesOfARank, ALeaseOfOtherBatchesThanComeNextIsStale) {
  const auto said = [&](const wire::Lease& lease) { return protocol_.leased(at(4), lease); };
  EXPECT_EQ(said({.id = 1, .epoch = 1, .first_batch = 4, .end_batch = 9}).error().code, Code::kStale);
  EXPECT_EQ(said({.id = 1, .epoch = 0, .first_batch = 5, .end_batch = 9}).error().code, Code::kStale);
  EXPECT_THAT(said({.id = 1, .epoch = 0, .first_batch = 0, .end_batch = 4}).error().message,
              HasSubstr("leased epoch 0 batches 0..4 where epoch 0 batch 4 comes next"));
  EXPECT_TRUE(protocol_.wants(at(4))) << "none was taken";
}

}  // namespace
}  // namespace dyad::worker
