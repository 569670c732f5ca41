// Row clients against parameter servers over real sockets.
#include <thread>
#include <gtest/gtest.h>
#include "common/ckpt/rows_file.h"
#include "common/wire/codec.h"
#include "tests/rows/cluster.h"

namespace dyad::tests {
namespace {

constexpr std::uint64_t kSteps = 6;

// Every rank trains steps first..last in its own thread; at_least as sync wants it.
void train_all(Cluster& cluster, const ClusterOptions& options, std::uint64_t first, std::uint64_t last, Step cut = {},
               std::uint64_t incarnation = 1) {
  std::vector<std::thread> ranks;
  for (std::uint32_t r = 0; r < options.ranks; ++r)
    ranks.emplace_back([&, r] {
      auto client = cluster.client(r, incarnation);
      for (std::uint64_t s = first; s <= last; ++s) train_step(*client, s, r, options, Step{s - 1}, Step{s} == cut);
      client->flush().value();
    });
  for (auto& rank : ranks) rank.join();
}

std::vector<float> pull_all(Cluster& cluster, const ClusterOptions& options, Step at_least, TableId table) {
  std::vector<RowKey> keys;
  for (std::uint64_t k = 0; k < 220; ++k) keys.push_back(RowKey{k});
  std::vector<float> out(keys.size() * options.dims[static_cast<std::size_t>(table)]);
  auto client = cluster.client(0);
  const worker::PullRequest request{table, keys, out};
  client->start_pull(at_least, {&request, 1}).value();
  client->wait().value();
  return out;
}

void expect_equals_reference(Cluster& cluster, const ClusterOptions& options, std::uint64_t steps) {
  Reference reference(options);
  for (std::uint64_t s = 1; s <= steps; ++s) reference.step(s, kRate);
  for (int t = 0; t < kTables; ++t) {
    const auto table = static_cast<TableId>(t);
    const auto got = pull_all(cluster, options, Step{steps}, table);
    const std::size_t dim = options.dims[static_cast<std::size_t>(t)];
    for (std::uint64_t k = 0; k < 220; ++k) {
      const auto want = reference.row(table, RowKey{k});
      ASSERT_TRUE(std::equal(want.begin(), want.end(), got.begin() + static_cast<std::ptrdiff_t>(k * dim)))
          << options.tables()[static_cast<std::size_t>(t)].name << " row " << k;
    }
  }
}

TEST(Rows, SyncTrainingEqualsTheSequentialReferenceBitForBit) {
  for (const std::uint32_t servers : {1u, 2u, 3u})
    for (const std::uint32_t threads : {1u, 3u}) {
      SCOPED_TRACE(fmt::format("{} servers of {} threads", servers, threads));
      const ClusterOptions options{.servers = servers, .threads = threads, .dims = {8, 12, 131}};
      Cluster cluster(options);
      cluster.start();
      train_all(cluster, options, 1, kSteps);
      expect_equals_reference(cluster, options, kSteps);
    }
}

TEST(Rows, ALargePullComesInPiecesOfEveryTable) {
  for (const std::uint32_t servers : {1u, 3u})
    for (const std::uint32_t threads : {1u, 2u}) {
      SCOPED_TRACE(fmt::format("{} servers of {} threads", servers, threads));
      const ClusterOptions options{.servers = servers, .ranks = 1, .threads = threads, .dims = {20001, 15003, 7}};
      Cluster cluster(options);
      cluster.start();
      Reference reference(options);
      const auto client = cluster.client(0);
      const auto pulled = train_step(*client, 1, 0, options, Step{0});
      client->flush().value();
      for (int t = 0; t < kTables; ++t) {
        const auto table = static_cast<TableId>(t);
        const std::size_t dim = options.dims[static_cast<std::size_t>(t)];
        const auto keys = work_of(1, 0, table, options.dims[static_cast<std::size_t>(t)]).keys;
        for (std::size_t i = 0; i < keys.size(); ++i) {
          const auto want = reference.row(table, keys[i]);
          const auto got = pulled[static_cast<std::size_t>(t)].begin() + static_cast<std::ptrdiff_t>(i * dim);
          ASSERT_TRUE(std::equal(want.begin(), want.end(), got)) << static_cast<int>(table) << " row " << keys[i].value;
        }
      }
      EXPECT_GT(cluster.total("pulls_total"), servers);
    }
}

TEST(Rows, EveryOptimizerAndClippingHold) {
  for (const char* name : {"sgd", "adagrad", "rowwise_adagrad", "adam", "adamw"}) {
    SCOPED_TRACE(name);
    ClusterOptions options{.ranks = 3};
    options.optimizer = {.name = name, .weight_decay = 0.01f, .clip = 0.2f};
    Cluster cluster(options);
    cluster.start();
    train_all(cluster, options, 1, kSteps);
    expect_equals_reference(cluster, options, kSteps);
  }
}

TEST(Rows, HalfPrecisionOnTheWireStaysNear) {
  const ClusterOptions options{.values = wire::ValueType::kFp16};
  Cluster cluster(options);
  cluster.start();
  train_all(cluster, options, 1, kSteps);
  Reference reference(options);
  for (std::uint64_t s = 1; s <= kSteps; ++s) reference.step(s, kRate);
  const auto got = pull_all(cluster, options, Step{kSteps}, TableId{0});
  for (std::uint64_t k = 0; k < 220; ++k)
    for (std::size_t d = 0; d < 8; ++d)
      EXPECT_NEAR(got[k * 8 + d], reference.row(TableId{0}, RowKey{k})[d], 2e-3);
}

TEST(Rows, APulledRowIsThatOfTheStepBefore) {
  const ClusterOptions options{.ranks = 1};
  Cluster cluster(options);
  cluster.start();
  auto client = cluster.client(0);
  Reference reference(options);
  for (std::uint64_t s = 1; s <= kSteps; ++s) {
    const auto pulled = train_step(*client, s, 0, options, Step{s - 1});
    for (int t = 0; t < kTables; ++t) {
      const Work work = work_of(s, 0, static_cast<TableId>(t), 8);
      for (std::size_t i = 0; i < work.keys.size(); ++i) {
        const auto want = reference.row(static_cast<TableId>(t), work.keys[i]);
        ASSERT_TRUE(std::equal(want.begin(), want.end(),
                               pulled[static_cast<std::size_t>(t)].begin() + static_cast<std::ptrdiff_t>(8 * i)));
      }
    }
    reference.step(s, kRate);
  }
  const auto traffic = client->traffic();
  EXPECT_GT(traffic.pulled_rows, 1000u);
  EXPECT_EQ(traffic.pulled_bytes, traffic.pulled_rows * 32);
  EXPECT_EQ(traffic.pushed_bytes, traffic.pushed_rows * 32);
}

// Pushes again and again by hand, over a connection of its own.
TEST(Rows, ADuplicatePushChangesNothing) {
  const ClusterOptions options{.servers = 1, .ranks = 1};
  Cluster cluster(options);
  cluster.start();
  auto connection = net::Connection::open(cluster.context(), {.endpoint = cluster.server(0).endpoint()}).value();
  for (std::uint64_t step = 1; step <= 3; ++step)
    for (int again = 0; again < 3; ++again) {
      wire::Push push{Step{step}, kRate, false, wire::ValueType::kFp32, {}};
      net::Message message(1);
      for (int t = 0; t < kTables; ++t) {
        const Work work = work_of(step, 0, static_cast<TableId>(t), 8);
        push.sections.push_back({static_cast<TableId>(t), static_cast<std::uint32_t>(work.keys.size())});
        message.push_back(net::Frame::copy(std::as_bytes(std::span(work.keys))));
        message.push_back(net::Frame::copy(std::as_bytes(std::span(work.gradient))));
      }
      message[0] =
          net::Frame::copy(wire::encode({{wire::Role::kWorker, 0, Incarnation{1}}, step, RoutingEpoch{1}, push}));
      connection.send(std::move(message)).value();
      auto answer = connection.recv(10000).value();
      ASSERT_TRUE(answer);
      const auto reply = wire::expect<wire::PushReply>(wire::decode(answer->at(0).bytes()).value()).value();
      EXPECT_EQ(reply.duplicate, again > 0);
    }
  EXPECT_EQ(cluster.total("duplicate_pushes_total"), 6);
  expect_equals_reference(cluster, options, 3);
}

TEST(Rows, LostAndRepeatedMessagesDoNotShowInTheResult) {
  ClusterOptions options{.resend_ms = 1};         // everything is sent many times over
  Cluster cluster(options);
  cluster.start();
  train_all(cluster, options, 1, kSteps);
  expect_equals_reference(cluster, options, kSteps);
}

TEST(Rows, ARestartedServerIsStale) {
  const ClusterOptions options{.ranks = 1, .resend_ms = 50};
  Cluster cluster(options);
  cluster.start();
  auto client = cluster.client(0);
  train_step(*client, 1, 0, options, Step{0});
  client->flush().value();
  cluster.restart_server(1);
  std::vector<RowKey> keys;
  for (std::uint64_t k = 0; k < 50; ++k) keys.push_back(RowKey{k});
  std::vector<float> out(keys.size() * 8);
  const worker::PullRequest request{TableId{0}, keys, out};
  Status status = client->start_pull(Step{0}, {&request, 1});
  if (status) status = client->wait();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kStale);
  EXPECT_NE(status.error().message.find("server 1"), std::string::npos) << status.error().message;
}

TEST(Rows, ASilentServerIsNamedInTime) {
  ClusterOptions options{.ranks = 1, .timeout_ms = 300, .resend_ms = 50};
  Cluster cluster(options);                      // bound, never started
  auto client = cluster.client(0);
  const std::vector<RowKey> keys{RowKey{1}, RowKey{2}, RowKey{3}, RowKey{4}, RowKey{5}, RowKey{6}};
  std::vector<float> out(keys.size() * 8);
  const worker::PullRequest request{TableId{0}, keys, out};
  ASSERT_TRUE(client->start_pull(Step{0}, {&request, 1}));
  const Status status = client->wait();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDisconnected);
}

TEST(Rows, APullThatWaitsForASlowRankOutlastsTheTimeoutOfASilentServer) {
  ClusterOptions options{.timeout_ms = 400, .resend_ms = 50};
  Cluster cluster(options);
  cluster.start();
  auto fast = cluster.client(0), slow = cluster.client(1);
  train_step(*fast, 1, 0, options, Step{0});
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    train_step(*slow, 1, 1, options, Step{0});
    slow->flush().value();
  });
  train_step(*fast, 2, 0, options, Step{1});
  fast->flush().value();
  late.join();
}

TEST(Rows, SspBoundsTheStalenessAgainstTheSlowestRank) {
  const ClusterOptions options{.mode = ps::Mode::kSsp};
  Cluster cluster(options);
  cluster.start();
  auto fast = cluster.client(0);
  std::atomic<std::uint64_t> fast_step{0}, slow_step{0};
  constexpr std::uint64_t kStaleness = 2;
  std::thread runner([&] {
    for (std::uint64_t s = 1; s <= 12; ++s) {
      const std::uint64_t at_least = s > 1 + kStaleness ? s - 1 - kStaleness : 0;
      train_step(*fast, s, 0, options, Step{at_least});
      EXPECT_GE(slow_step + 1, at_least);        // the slow rank may have pushed what it has not counted yet
      fast_step = s;
    }
    fast->flush().value();
  });
  auto slow = cluster.client(1);
  for (std::uint64_t s = 1; s <= 12; ++s) {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    EXPECT_LE(fast_step, s + kStaleness);
    train_step(*slow, s, 1, options, Step{0});
    slow_step = s;
  }
  slow->flush().value();
  runner.join();
  EXPECT_EQ(cluster.server(0).applied(), Step{12});
}

TEST(Rows, ACutIsTheSameBytesFromAnyNumberOfServersAndThreadsAndLoadsOnAnother) {
  std::map<std::string, std::uint64_t> first;
  for (const auto& [servers, threads] : {std::pair{1u, 1u}, {3u, 1u}, {2u, 4u}}) {
    const ClusterOptions options{.servers = servers, .threads = threads};
    Cluster cluster(options);
    cluster.start();
    train_all(cluster, options, 1, kSteps, Step{4});
    const auto files = cluster.wait_for_cut(Step{4});
    EXPECT_EQ(files.size(), 16u);
    if (first.empty()) first = files;
    EXPECT_EQ(files, first);
    const ClusterOptions other{.servers = 5 - servers, .threads = 2};
    Cluster resumed(other);
    resumed.start(Step{4}, cluster.folder(Step{4}));
    train_all(resumed, other, 5, kSteps);
    expect_equals_reference(resumed, other, kSteps);
  }
}

TEST(Rows, AWrittenCutLeavesNoSecondCopyOfTheRows) {
  for (const std::uint32_t threads : {1u, 3u}) {
    const ClusterOptions options{.threads = threads};
    Cluster cluster(options);
    cluster.start();
    train_all(cluster, options, 1, kSteps);
    const double before = cluster.total("row_memory_bytes");
    EXPECT_GT(before, 0);
    train_all(cluster, options, kSteps + 1, kSteps + 2, Step{kSteps + 1});
    cluster.wait_for_cut(Step{kSteps + 1});
    train_all(cluster, options, kSteps + 3, 2 * kSteps);
    EXPECT_EQ(cluster.total("row_memory_bytes"), before);
    Cluster resumed(options);
    resumed.start(Step{kSteps + 1}, cluster.folder(Step{kSteps + 1}));
    train_all(resumed, options, kSteps + 2, 2 * kSteps);
    EXPECT_EQ(resumed.total("row_memory_bytes"), before);
  }
}

TEST(Rows, ACutOfAnotherOptimizerOrStepIsRefused) {
  const ClusterOptions options{};
  Cluster cluster(options);
  cluster.start();
  train_all(cluster, options, 1, 2, Step{2});
  cluster.wait_for_cut(Step{2});
  ClusterOptions sgd;
  sgd.optimizer.name = "sgd";
  Cluster other(sgd);
  ASSERT_TRUE(other.server(0).start({Incarnation{1}, other.routing(), Step{2}, cluster.folder(Step{2})}));
  const auto refused = other.server(0).loaded(10000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_NE(refused.error().message.find("g0000.rows"), std::string::npos) << refused.error().message;
  Cluster third(options);
  ASSERT_TRUE(third.server(0).start({Incarnation{1}, third.routing(), Step{3}, cluster.folder(Step{2})}));
  EXPECT_FALSE(third.server(0).loaded(10000));
}

// Requests made by hand to server 0, over a connection of its own.
class Stranger {
 public:
  explicit Stranger(Cluster& cluster)
      : connection_(net::Connection::open(cluster.context(), {.endpoint = cluster.server(0).endpoint()}).value()) {}
  // What the server refuses it with; code 0: it does not.
  Error ask(net::Message message) {
    connection_.send(std::move(message)).value();
    auto answer = connection_.recv(10000).value();
    const auto envelope = wire::decode(answer.value().at(0).bytes()).value();
    const auto* error = std::get_if<wire::ErrorReply>(&envelope.body);
    return error == nullptr ? Error{Code{0}, ""} : error->error;
  }
  Error ask(wire::Body body, const std::vector<std::vector<std::uint64_t>>& keys, std::uint64_t epoch = 1,
            RunId run = {}) {
    const bool push = std::holds_alternative<wire::Push>(body);
    net::Message message;
    message.push_back(net::Frame::copy(
        wire::encode({{wire::Role::kWorker, 0, Incarnation{1}, run}, 7, RoutingEpoch{epoch}, std::move(body)})));
    for (const auto& table : keys) {
      message.push_back(net::Frame::copy(std::as_bytes(std::span(table))));
      const std::vector<float> gradient(table.size() * 8, 1.0f);
      if (push) message.push_back(net::Frame::copy(std::as_bytes(std::span(gradient))));
    }
    return ask(std::move(message));
  }
  Error pull(std::vector<std::uint64_t> keys, TableId table = TableId{0}) {
    const auto count = static_cast<std::uint32_t>(keys.size());
    return ask(wire::Pull{Step{0}, wire::ValueType::kFp32, {{table, count}}}, {std::move(keys)});
  }
  Error push(std::vector<std::uint64_t> keys, TableId table = TableId{0}) {
    const auto count = static_cast<std::uint32_t>(keys.size());
    return ask(wire::Push{Step{1}, kRate, false, wire::ValueType::kFp32, {{table, count}}}, {std::move(keys)});
  }

 private:
  net::Connection connection_;
};

std::vector<std::uint64_t> first_keys(std::uint64_t n) {
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t k = 0; k < n; ++k) keys[k] = k;
  return keys;
}

TEST(Rows, MalformedAndMisroutedRequestsAreRefusedAndTheServerGoesOn) {
  const ClusterOptions options{.ranks = 1};
  Cluster cluster(options);
  cluster.start();
  Stranger stranger(cluster);
  const std::string noise = "this is no message of Dyad at all";
  net::Message garbage;
  garbage.push_back(net::Frame::copy(std::as_bytes(std::span(noise))));
  EXPECT_EQ(stranger.ask(std::move(garbage)).code, Code::kInvalid);
  const auto pull = [](std::uint32_t n) { return wire::Pull{Step{0}, wire::ValueType::kFp32, {{TableId{0}, n}}}; };
  EXPECT_EQ(stranger.ask(pull(3), {{1, 2}}).code, Code::kInvalid);
  EXPECT_EQ(stranger.ask(pull(2), {{1, 2}}, 9).code, Code::kStale);
  const Error leftover = stranger.ask(pull(2), {{1, 2}}, 1, RunId{0xa});
  EXPECT_EQ(leftover.code, Code::kStale);
  EXPECT_EQ(leftover.message, "worker 0 belongs to run 000000000000000a of the job, server 0 to run 0000000000000000: "
                              "one of them is a leftover");
  EXPECT_EQ(stranger.pull(first_keys(200)).code, Code::kStale);   // half of them live on server 1
  EXPECT_EQ(stranger.ask(wire::GetRouting{}, {}).code, Code::kInvalid);
  auto client = cluster.client(0);
  train_step(*client, 1, 0, options, Step{0});
  client->flush().value();
}

TEST(Rows, KeysThatRepeatDescendOrAreOfNoRowAreRefusedNamingThePeerAndChangeNothing) {
  const ClusterOptions options{.servers = 1, .ranks = 1, .key_end = {220, 230, 240}};
  Cluster cluster(options);
  cluster.start();
  Stranger stranger(cluster);
  EXPECT_EQ(stranger.pull({5, 5}).message,
            "the pull of worker 0, incarnation 1, names key 5 of table item right after key 5: keys must ascend, each "
            "once");
  EXPECT_EQ(stranger.push({5, 5}).code, Code::kInvalid);
  EXPECT_EQ(stranger.pull({6, 5}).code, Code::kInvalid);
  EXPECT_EQ(stranger.push({6, 5}).code, Code::kInvalid);
  EXPECT_EQ(stranger.push({1, 230}, TableId{1}).message,
            "the push of worker 0, incarnation 1, names key 230 of table code.behaviour, whose keys are below 230: do "
            "all processes read the same job.data?");
  EXPECT_EQ(stranger.pull({1, 240}, TableId{2}).code, Code::kInvalid);
  EXPECT_EQ(stranger.pull({~0ull}).code, Code::kInvalid);
  const wire::Section one{TableId{0}, 1};
  EXPECT_EQ(stranger.ask(wire::Pull{Step{0}, wire::ValueType::kFp32, {one, one}}, {{1}, {2}}).code, Code::kInvalid);
  EXPECT_EQ(stranger.ask(wire::Push{Step{1}, kRate, false, wire::ValueType::kFp32, {one, one}}, {{1}, {2}}).code,
            Code::kInvalid);
  EXPECT_EQ(cluster.total("rows"), 0);
  EXPECT_EQ(stranger.pull({219}).code, Code{0});
  EXPECT_EQ(stranger.pull({239}, TableId{2}).code, Code{0});
  EXPECT_EQ(stranger.push({0, 229}, TableId{1}).code, Code{0});
  EXPECT_EQ(cluster.total("rows"), 2);
}

TEST(Rows, APullOfMoreThanAFrameIsRefusedNamingThePeerAndTheServerGoesOn) {
  const ClusterOptions options{.servers = 1, .ranks = 1, .frame_bytes_max = 100 * 32};   // 100 rows of 8 floats
  Cluster cluster(options);
  cluster.start();
  Stranger stranger(cluster);
  EXPECT_EQ(stranger.pull(first_keys(101)).message,
            "the pull of worker 0, incarnation 1, asks for 101 rows of table item, which are 3232 bytes; a frame has "
            "at most 3200: ask for fewer");
  EXPECT_EQ(stranger.pull(first_keys(100)).code, Code{0});
}

}  // namespace
}  // namespace dyad::tests
