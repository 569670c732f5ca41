// Who is no worker of the job, or lies: a push in another's place, values that are no numbers.
#include <cmath>
#include <limits>
#include <gtest/gtest.h>
#include "common/base/clock.h"
#include "common/wire/codec.h"
#include "tests/rows/cluster.h"

namespace dyad::tests {
namespace {

// A push of work_of(step, rank) on all tables, by hand.
net::Message push_of(std::uint64_t step, std::uint32_t rank, std::uint64_t incarnation, std::uint64_t number,
                     float first = 0.1f) {
  wire::Push push{Step{step}, kRate, false, wire::ValueType::kFp32, {}};
  net::Message message(1);
  for (int t = 0; t < kTables; ++t) {
    Work work = work_of(step, rank, static_cast<TableId>(t), 8);
    if (first != 0.1f) work.gradient[11] = first;  // of the second key
    push.sections.push_back({static_cast<TableId>(t), static_cast<std::uint32_t>(work.keys.size())});
    message.push_back(net::Frame::copy(std::as_bytes(std::span(work.keys))));
    message.push_back(net::Frame::copy(std::as_bytes(std::span(work.gradient))));
  }
  message[0] = net::Frame::copy(
      wire::encode({{wire::Role::kWorker, rank, Incarnation{incarnation}}, number, RoutingEpoch{1}, push}));
  return message;
}

struct ByHand {                                  // a connection to server 0, and its answers
  explicit ByHand(Cluster& cluster)
      : connection(net::Connection::open(cluster.context(), {.endpoint = cluster.server(0).endpoint()}).value()) {}
  wire::Body answer() {
    auto message = connection.recv(5000).value();
    EXPECT_TRUE(message);
    return message ? wire::decode(message->at(0).bytes()).value().body : wire::Body{};
  }
  wire::Body ask(net::Message message) {
    connection.send(std::move(message)).value();
    return answer();
  }
  net::Connection connection;
};

Error error_of(const wire::Body& body) {
  const auto* error = std::get_if<wire::ErrorReply>(&body);
  EXPECT_NE(error, nullptr) << wire::body_name(body);
  return error == nullptr ? fail(Code::kFailed, "none") : error->error;
}

void expect_reference(Cluster& cluster, const ClusterOptions& options, std::uint64_t steps) {
  Reference reference(options);
  for (std::uint64_t s = 1; s <= steps; ++s) reference.step(s, kRate);
  auto client = cluster.client(0);
  for (int t = 0; t < kTables; ++t) {
    std::vector<RowKey> keys;
    for (std::uint64_t k = 0; k < 220; ++k) keys.push_back(RowKey{k});
    std::vector<float> out(keys.size() * 8);
    const worker::PullRequest request{static_cast<TableId>(t), keys, out};
    client->start_pull(Step{steps}, {&request, 1}).value();
    client->wait().value();
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const auto want = reference.row(static_cast<TableId>(t), keys[k]);
      ASSERT_TRUE(std::equal(want.begin(), want.end(), out.begin() + static_cast<std::ptrdiff_t>(8 * k))) << k;
    }
  }
}

TEST(Strangers, OnlyTheWorkersThatTheCoordinatorKnowsAreServed) {
  const ClusterOptions options{.servers = 1, .ranks = 2, .worker_incarnation = {1, 0}};   // rank 1 is not there yet
  Cluster cluster(options);
  cluster.start();
  ByHand stranger(cluster);
  for (const std::uint64_t forged : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{1'000'000'000'000}}) {
    const Error refused = error_of(stranger.ask(push_of(1, 0, forged, 5)));
    EXPECT_EQ(refused.code, Code::kStale);
    EXPECT_NE(refused.message.find("takes no part, incarnation 1 does"), std::string::npos) << refused.message;
  }
  EXPECT_EQ(error_of(stranger.ask(push_of(1, 2, 1, 5))).code, Code::kInvalid);      // no such rank
  EXPECT_FALSE(cluster.server(0).wants_workers());
  EXPECT_TRUE(std::holds_alternative<wire::Ack>(stranger.ask(push_of(1, 1, 9, 6))));
  EXPECT_TRUE(cluster.server(0).wants_workers());
  cluster.server(0).know_workers({1, 0}, steady_now_s());            // the coordinator does not know it either
  EXPECT_EQ(error_of(stranger.answer()).code, Code::kStale);

  ByHand rank1(cluster);
  EXPECT_TRUE(std::holds_alternative<wire::Ack>(rank1.ask(push_of(1, 1, 7, 8))));
  cluster.server(0).know_workers({1, 0}, steady_now_s() - 10);       // asked before it came: says nothing about it
  EXPECT_TRUE(std::holds_alternative<wire::Ack>(rank1.answer()));
  cluster.server(0).know_workers({1, 7}, steady_now_s());
  EXPECT_FALSE(std::get<wire::PushReply>(rank1.answer()).duplicate);
  EXPECT_FALSE(std::get<wire::PushReply>(stranger.ask(push_of(1, 0, 1, 9))).duplicate);
  expect_reference(cluster, options, 1);
}

TEST(Strangers, AValueThatIsNotFiniteIsRefusedNamingRankTableAndKey) {
  const ClusterOptions options{.servers = 1, .ranks = 1};
  Cluster cluster(options);
  cluster.start();
  ByHand liar(cluster);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    const Error refused = error_of(liar.ask(push_of(1, 0, 1, 5, bad)));
    EXPECT_EQ(refused.code, Code::kInvalid);
    const std::string key = std::to_string(work_of(1, 0, TableId{0}, 8).keys[1].value);
    EXPECT_EQ(refused.message, "the push of worker 0, incarnation 1, holds a value that is not finite for key " + key +
                                   " of table item");
  }
  EXPECT_FALSE(std::get<wire::PushReply>(liar.ask(push_of(1, 0, 1, 6))).duplicate);
  expect_reference(cluster, options, 1);
}

TEST(Strangers, AWorkerWhoseFirstPushIsADuplicateLeavesSayingWhy) {
  const ClusterOptions options{.servers = 1, .ranks = 1};
  Cluster cluster(options);
  cluster.start();
  ByHand forger(cluster);
  EXPECT_FALSE(std::get<wire::PushReply>(forger.ask(push_of(1, 0, 1, 5, 3.0f))).duplicate);
  auto client = cluster.client(0);
  std::vector<Work> work;
  std::vector<worker::PushRequest> pushes;
  for (int t = 0; t < kTables; ++t) work.push_back(work_of(1, 0, static_cast<TableId>(t), 8));
  for (int t = 0; t < kTables; ++t)
    pushes.push_back({static_cast<TableId>(t), work[static_cast<std::size_t>(t)].keys,
                      work[static_cast<std::size_t>(t)].gradient});
  Status pushed = client->push(pushes, {Step{1}, kRate});
  if (pushed) pushed = client->flush();
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, Code::kStale);
  EXPECT_NE(pushed.error().message.find("pushed in this rank's place"), std::string::npos) << pushed.error().message;
}

}  // namespace
}  // namespace dyad::tests
