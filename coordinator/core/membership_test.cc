#include "coordinator/core/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::Command;

class MembershipTest : public testing::Test {
 protected:
  Result<Incarnation> join(wire::Sender sender, Millis now = 0, std::uint64_t digest = 5,
                           data::Identity::Parts data = {{"codes", 7}, {"log", 8}}) {
    const wire::Register message{fmt::format("tcp://{}", sender.id), digest, 1, "host", std::move(data),
                                 tables_for_test()};
    DYAD_TRY(joined, members_.register_(sender, message, now, entries_));
    return joined.incarnation;
  }
  Command beat(wire::Sender sender, Millis now) { return members_.heartbeat(sender, {}, now).value(); }
  Entries entries_;
  Membership members_{
      {.servers = 3, .workers = 2, .config_digest = 5, .data = {{"codes", 7}, {"log", 8}}, .dead_after_ms = 1000}};
};

TEST_F(MembershipTest, IncarnationsGrowAndARepeatedRegisterChangesNothing) {
  EXPECT_EQ(join(worker(0, 111)).value(), Incarnation{1});
  EXPECT_EQ(join(worker(0, 111)).value(), Incarnation{1});
  EXPECT_EQ(entries_.size(), 2u) << "the tables, and the worker";
  EXPECT_EQ(join(worker(0, 222)).value(), Incarnation{2});
  EXPECT_EQ(join(worker(1, 111)).value(), Incarnation{1});
}

TEST_F(MembershipTest, AnotherConfigurationOrAWrongIdIsRefusedWithoutTellingWhatWouldFit) {
  const auto other = join(server(0), 0, 6).error();
  EXPECT_EQ(other.code, Code::kInvalid);
  EXPECT_EQ(other.message, "server 0 on host runs another configuration than the coordinator's: start both from the "
                           "same file and --set");
  EXPECT_THAT(join(server(3)).error().message, HasSubstr("servers.count = 3"));
  EXPECT_THAT(join(worker(2)).error().message, HasSubstr("train.workers = 2"));
}

TEST_F(MembershipTest, AWorkerWithOtherDataIsRefusedNamingThePart) {
  const auto other = join(worker(1), 0, 5, {{"codes", 9}, {"log", 8}}).error();
  EXPECT_EQ(other.code, Code::kInvalid);
  EXPECT_THAT(other.message, HasSubstr("worker 1 on host holds other data than the coordinator: codes; "));
  EXPECT_THAT(join(worker(1), 0, 5, {}).error().message, HasSubstr("coordinator: codes, log; "));
  EXPECT_TRUE(entries_.empty());
  EXPECT_TRUE(join(server(0), 0, 5, {}).has_value()) << "a server reads no data";
  EXPECT_TRUE(join(worker(1)).has_value());
}

TEST_F(MembershipTest, AToolDoesNotTakePart) {
  EXPECT_EQ(join({wire::Role::kTool, 0, Incarnation{9}}).error().code, Code::kInvalid);
  EXPECT_EQ(members_.goodbye({wire::Role::kTool, 0, {}}, "done", entries_).error().code, Code::kStale);
  EXPECT_TRUE(entries_.empty()) << "nothing for the journal";
}

TEST_F(MembershipTest, RoutingIsContiguousAndThereOnceEveryServerIs) {
  (void)join(server(0));
  (void)join(server(2));
  const auto early = members_.routing(8).error();
  EXPECT_EQ(early.code, Code::kNotFound);
  EXPECT_THAT(early.message, HasSubstr("waiting for server 1"));
  (void)join(server(1));
  const auto routing = members_.routing(8).value();
  EXPECT_THAT(routing.group_server, ElementsAre(0, 0, 0, 1, 1, 1, 2, 2));
  EXPECT_THAT(routing.server_address, ElementsAre("tcp://0", "tcp://1", "tcp://2"));
  EXPECT_THAT(routing.worker_incarnation, ElementsAre(0, 0));
  EXPECT_TRUE(routing.tables.empty()) << "servers know no model";
  (void)join(worker(1, 111));
  EXPECT_THAT(members_.routing(8).value().worker_incarnation, ElementsAre(0, 1));
}

TEST_F(MembershipTest, ARestartedServerMakesEverybodyRestartOnce) {
  for (std::uint32_t i = 0; i < 3; ++i) (void)join(server(i, 10 + i));
  for (std::uint32_t i = 0; i < 2; ++i) (void)join(worker(i, 20 + i));
  const auto before = members_.routing(4).value().epoch;
  EXPECT_EQ(beat(worker(0, 1), 1), Command::kNone);
  EXPECT_EQ(join(server(1, 99)).value(), Incarnation{2});
  EXPECT_EQ(beat(worker(0, 1), 2), Command::kRestart);
  EXPECT_EQ(beat(server(0, 1), 2), Command::kRestart);
  EXPECT_EQ(beat(server(1, 2), 2), Command::kNone);
  EXPECT_FALSE(members_.routing(4).has_value()) << "servers 0 and 2 are of the generation before";
  for (std::uint32_t i : {0, 2}) (void)join(server(i, 30 + i));
  for (std::uint32_t i : {0, 1}) (void)join(worker(i, 40 + i));
  EXPECT_EQ(members_.routing(4).value().epoch, RoutingEpoch{before.value + 1})
      << "joining the new generation begins no other";
  for (std::uint32_t i : {0, 1}) EXPECT_EQ(beat(worker(i, 2), 3), Command::kNone);
}

TEST_F(MembershipTest, AnOlderIncarnationIsStale) {
  (void)join(worker(0, 1));
  (void)join(worker(0, 2));
  EXPECT_EQ(members_.heartbeat(worker(0, 1), {}, 5).error().code, Code::kStale);
  EXPECT_EQ(members_.heartbeat(worker(1, 1), {}, 5).error().code, Code::kStale) << "never registered";
}

TEST_F(MembershipTest, TheSilentAreDeadAfterTheirTimeAndThoseWhoLeftAreNot) {
  (void)join(worker(0, 1));
  (void)join(worker(1, 1));
  (void)join(server(0, 1));
  ASSERT_TRUE(members_.goodbye(server(0, 1), "done", entries_).has_value());
  for (Millis now = 0; now <= 1100; now += 100) {
    (void)beat(worker(0, 1), now);
    members_.tick(now, entries_);
  }
  EXPECT_FALSE(members_.members().at({wire::Role::kWorker, 0}).dead);
  EXPECT_TRUE(members_.members().at({wire::Role::kWorker, 1}).dead);
  EXPECT_FALSE(members_.members().at({wire::Role::kServer, 0}).dead);
  EXPECT_EQ(beat(worker(0, 1), 1200), Command::kRestart);
}

TEST_F(MembershipTest, APauseOfTheCoordinatorItselfKillsNobody) {
  (void)join(worker(0, 1), 100);
  members_.tick(100, entries_);
  members_.tick(60100, entries_);
  EXPECT_FALSE(members_.members().at({wire::Role::kWorker, 0}).dead);
}

TEST_F(MembershipTest, TheEndIsWhenEveryWorkerLeftThenServersAreToldToStop) {
  for (std::uint32_t i = 0; i < 3; ++i) (void)join(server(i, 1));
  for (std::uint32_t i = 0; i < 2; ++i) (void)join(worker(i, 1));
  ASSERT_TRUE(members_.goodbye(worker(0, 1), "done", entries_).has_value());
  EXPECT_FALSE(members_.all_workers_left());
  ASSERT_TRUE(members_.goodbye(worker(1, 1), "done", entries_).has_value());
  EXPECT_TRUE(members_.all_workers_left());
  EXPECT_EQ(beat(server(0, 1), 1), Command::kNone) << "cuts may still be written";
  members_.stop();
  EXPECT_EQ(beat(server(0, 1), 1), Command::kStop);
}

}  // namespace
}  // namespace dyad::coordinator
