// A Service without sockets: messages go in by hand, and what it replies is kept.
#include "ps/service.h"

#include <cstdio>
#include <future>
#include <mutex>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <gtest/gtest.h>
#include "common/base/clock.h"
#include "common/tables/tables_for_test.h"
#include "common/wire/codec.h"

namespace dyad::ps {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Setup {
  std::uint32_t ranks = 2, threads = 1, dim = 8;
  std::uint64_t key_end = 1000, work_bytes_max = 1ull << 30;
  Step start{};
  std::string optimizer = "sgd";
  bool hold_cuts = false;                        // the owner that freezes a cut stands still until release()
};

class Bench {
 public:
  explicit Bench(const Setup& setup) : setup_(setup) {
    ServiceOptions o;
    o.incarnation = Incarnation{1};
    o.partition = {64, 16};
    o.routing.epoch = RoutingEpoch{1};
    o.routing.group_server.assign(16, 0);
    o.routing.tables = tables_for_test({.widths = {setup.dim, setup.dim, setup.dim},
                                        .key_ends = {setup.key_end, setup.key_end, setup.key_end},
                                        .optimizer = {.name = setup.optimizer}});
    o.clock = {.mode = Mode::kSync, .ranks = setup.ranks, .start = setup.start};
    o.threads = setup.threads;
    o.work_bytes_max = setup.work_bytes_max;
    o.wake = [] {};
    o.reply = [this](net::Peer, net::Message message) {
      std::lock_guard lock(mutex_);
      replies_.push_back(std::move(message));
    };
    o.on_freeze = [this](std::shared_ptr<const Cut>) { if (setup_.hold_cuts) released_.wait(); };
    service = std::move(Service::make(std::move(o), metrics)).value();
  }
  ~Bench() { service.reset(); }

  void pull(std::uint32_t rank, std::uint64_t number, std::uint64_t at_least, std::uint64_t keys,
            wire::Role role = wire::Role::kWorker) {
    send(wire::Pull{Step{at_least}, wire::ValueType::kFp32, {{TableId{0}, static_cast<std::uint32_t>(keys)}}}, rank,
         number, keys, role);
  }
  void push(std::uint32_t rank, std::uint64_t step, std::uint64_t keys, bool cut = false) {
    send(wire::Push{Step{step}, 1.0f, cut, wire::ValueType::kFp32,
                    {{TableId{0}, static_cast<std::uint32_t>(keys)}}},
         rank, 1000 + step, keys, wire::Role::kWorker);
  }
  std::vector<wire::Envelope> replies() {        // since the last call; their frames end here
    std::lock_guard lock(mutex_);
    std::vector<wire::Envelope> out;
    for (const auto& message : replies_) out.push_back(wire::decode(message[0].bytes()).value());
    replies_.clear();
    return out;
  }
  std::size_t waiting_replies() {
    std::lock_guard lock(mutex_);
    return replies_.size();
  }
  void wait_for_replies(std::size_t n) {
    for (int i = 0; i < 2000 && waiting_replies() < n; ++i) std::this_thread::sleep_for(5ms);
  }
  void release() { go_.set_value(); }

  Metrics metrics;
  std::unique_ptr<Service> service;

 private:
  void send(wire::Body body, std::uint32_t rank, std::uint64_t number, std::uint64_t count, wire::Role role) {
    const bool push = std::holds_alternative<wire::Push>(body);
    net::Message message;
    message.push_back(
        net::Frame::copy(wire::encode({{role, rank, Incarnation{1}}, number, RoutingEpoch{1}, std::move(body)})));
    std::vector<std::uint64_t> keys(count);
    for (std::uint64_t k = 0; k < count; ++k) keys[k] = k;
    message.push_back(net::Frame::copy(std::as_bytes(std::span(keys))));
    const std::vector<float> gradient(push ? count * setup_.dim : 0, 1.0f);
    if (push) message.push_back(net::Frame::copy(std::as_bytes(std::span(gradient))));
    service->handle({"peer", std::move(message)});
  }
  Setup setup_;
  std::mutex mutex_;
  std::vector<net::Message> replies_;            // under mutex_
  std::promise<void> go_;
  std::shared_future<void> released_ = go_.get_future().share();
};

template <class T> bool is(const wire::Envelope& e) { return std::holds_alternative<T>(e.body); }
Error error_of(const wire::Envelope& e) {
  const auto* refused = std::get_if<wire::ErrorReply>(&e.body);
  return refused == nullptr ? Error{Code{0}, ""} : refused->error;
}

class Checkpoint {                               // of step 4: 500 rows of a table
 public:
  Checkpoint() {
    auto shard = std::move(Shard::make({tables_for_test({.optimizer = {.name = "sgd"}})})).value();
    std::vector<RowKey> keys;
    for (std::uint64_t k = 0; k < 500; ++k) keys.push_back(RowKey{k});
    const std::vector<float> gradient(keys.size() * 8, 1.0f);
    const wire::SectionView view{TableId{0}, keys.size(), keys, std::as_bytes(std::span(gradient))};
    const PushPart part{{&view, 1}, {}, wire::ValueType::kFp32};
    shard->apply(0.5f, {&part, 1});
    std::vector<GroupId> groups;
    for (std::uint32_t g = 0; g < 16; ++g) groups.push_back(GroupId{g});
    write_cut(folder, Cut{Step{4}, {shard->freeze(Step{4})}}, {64, 16}, groups, std::atomic<bool>(false)).value();
  }
  ~Checkpoint() { fs::remove_all(folder); }
  const fs::path folder = fs::temp_directory_path() / ("dyad-service-test-" + std::to_string(::getpid()));
};

TEST(Service, WhileRowsLoadPullsAreToldToWaitPushesAreHeldAndThenAllIsAnswered) {
  const Checkpoint checkpoint;
  for (const std::uint32_t threads : {1u, 4u}) {
    Bench bench({.ranks = 1, .threads = threads, .start = Step{4}});
    bench.service->load(checkpoint.folder, Step{4});   // however fast, it ends in tick()
    bench.pull(0, 1, 4, 500);
    bench.pull(0, 1, 4, 500);
    bench.push(0, 5, 10);
    const auto before = bench.replies();
    ASSERT_EQ(before.size(), 3u);
    EXPECT_EQ(error_of(before[0]).code, Code::kNotFound);
    EXPECT_EQ(error_of(before[0]).message, "server 0 loads its rows of step 4");
    EXPECT_EQ(error_of(before[1]).code, Code::kNotFound);
    EXPECT_TRUE(is<wire::PushReply>(before[2]));
    EXPECT_EQ(bench.metrics.applied, 4u);
    for (int i = 0; i < 2000 && bench.service->loading(); ++i) {
      ASSERT_TRUE(bench.service->tick(0));
      std::this_thread::sleep_for(5ms);
    }
    bench.wait_for_replies(1);
    const auto after = bench.replies();
    ASSERT_EQ(after.size(), 1u) << "once, though it was asked twice";
    EXPECT_EQ(std::get<wire::PullReply>(after[0].body).applied, Step{4});
    EXPECT_EQ(bench.metrics.applied, 5u) << "the push that was held";
    EXPECT_EQ(bench.metrics.rows, 500u);
  }
}

TEST(Service, ACheckpointThatIsNotThereEndsTheLoading) {
  Bench bench({.start = Step{4}});
  bench.service->load("/nonexistent", Step{4});
  Status status = ok();
  for (int i = 0; i < 2000 && status; ++i) {
    status = bench.service->tick(0);
    std::this_thread::sleep_for(5ms);
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kNotFound);
  EXPECT_NE(status.error().message.find("g00"), std::string::npos) << status.error().message;
}

TEST(Service, APullThatIsAskedAgainWhileItsAnswerIsComputedIsNotComputedTwice) {
  Bench bench({.ranks = 1, .threads = 2, .hold_cuts = true});
  bench.push(0, 1, 100, true);                   // an owner stands in its freeze
  bench.pull(0, 1, 1, 100);
  bench.pull(0, 1, 1, 100);
  bench.wait_for_replies(2);
  const auto before = bench.replies();
  ASSERT_EQ(before.size(), 2u);
  EXPECT_TRUE(is<wire::PushReply>(before[0]));
  EXPECT_TRUE(is<wire::Ack>(before[1]));
  bench.release();
  bench.wait_for_replies(1);
  std::this_thread::sleep_for(50ms);
  const auto after = bench.replies();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_TRUE(is<wire::PullReply>(after[0]));
  EXPECT_EQ(bench.metrics.pulls, 1u);
  bench.pull(0, 1, 1, 100);                      // its answer was lost
  bench.wait_for_replies(1);
  EXPECT_TRUE(is<wire::PullReply>(bench.replies().at(0)));
}

TEST(Service, AnswersWaitForRoomAndComeInTurn) {
  Bench bench({.dim = 64, .work_bytes_max = 200 << 10});
  bench.pull(0, 1, 0, 500);                      // 128,000 bytes, and what the pool adds
  bench.pull(1, 1, 0, 500);
  bench.pull(1, 1, 0, 500);
  EXPECT_TRUE(bench.service->crowded());
  ASSERT_TRUE(bench.service->tick(0));
  const auto first = bench.replies();            // and its memory comes back
  ASSERT_EQ(first.size(), 2u);
  EXPECT_TRUE(is<wire::PullReply>(first[0]));
  EXPECT_TRUE(is<wire::Ack>(first[1]));
  ASSERT_TRUE(bench.service->tick(0));
  const auto second = bench.replies();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_TRUE(is<wire::PullReply>(second[0]));
  EXPECT_FALSE(bench.service->crowded());
}

TEST(Service, OnePeersPullsKeepNobodyElseOut) {
  Bench bench({});
  for (std::uint64_t n = 0; n < 2000; ++n) bench.pull(0, n, 1ull << 63, 1);
  for (const auto& reply : bench.replies()) ASSERT_EQ(error_of(reply).code, Code::kInvalid);
  for (std::uint64_t n = 0; n < 2000; ++n) bench.pull(0, n, 1, 1);
  const auto replies = bench.replies();
  EXPECT_EQ(replies.size(), 2000u - 8u);
  for (const auto& reply : replies) ASSERT_EQ(error_of(reply).code, Code::kOverloaded);
  bench.pull(1, 1, 0, 1);
  EXPECT_TRUE(is<wire::PullReply>(bench.replies().at(0)));
  ASSERT_TRUE(bench.service->tick(steady_now_s() + 1000));     // nobody asks for them again
  EXPECT_EQ(bench.metrics.waiting, 0u);
}

TEST(Service, OnlyWorkersOfTheJobPull) {
  Bench bench({});
  bench.pull(0, 1, 0, 1, wire::Role::kTool);
  bench.pull(2, 1, 0, 1);
  for (const auto& reply : bench.replies()) EXPECT_EQ(error_of(reply).code, Code::kInvalid);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_WITHOUT_LIMITS GTEST_SKIP() << "a sanitizer needs address space without limits"
#else
#define SKIP_WITHOUT_LIMITS static_cast<void>(0)
#endif

void leave_memory(std::uint64_t bytes) {         // to this process from here on
  unsigned long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%lu", &pages) != 1) std::abort();
  std::fclose(file);
  const rlim_t limit = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit both{limit, limit};
  if (::setrlimit(RLIMIT_AS, &both) != 0) std::abort();
}

TEST(Service, AnAnswerWithoutMemoryIsRefusedNamingWhatWasAskedAndHeld) {
  SKIP_WITHOUT_LIMITS;
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Bench bench({.dim = 512, .key_end = 1 << 20});
        leave_memory(64 << 20);
        bench.pull(0, 1, 0, 300000);             // 614 MB
        const Error error = error_of(bench.replies().at(0));
        std::fprintf(stderr, "%d %s\n", static_cast<int>(error.code), error.message.c_str());
        bench.pull(0, 2, 0, 10);
        std::exit(is<wire::PullReply>(bench.replies().at(0)) && bench.service->tick(0) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "5 server 0 has no memory for the 614400000 bytes that worker 0 asked for: 0 rows");
}

TEST(Service, AStepThatCannotBeAppliedEndsTheServerWithOverloadedOnAnyThread) {
  SKIP_WITHOUT_LIMITS;
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const std::uint32_t threads : {1u, 2u})
    EXPECT_EXIT(
        {
          Bench bench({.ranks = 1, .threads = threads, .dim = 512, .key_end = 1 << 20, .optimizer = "adam"});
          leave_memory(100 << 20);
          bench.push(0, 1, 20000);               // 41 MB, twice while it is made; its rows are 123 MB
          Status status = ok();
          for (int i = 0; i < 2000 && status; ++i) {
            status = bench.service->tick(0);
            std::this_thread::sleep_for(5ms);
          }
          if (status) std::exit(0);
          std::fprintf(stderr, "%s\n", status.error().message.c_str());
          std::exit(static_cast<int>(status.error().code));
        },
        ::testing::ExitedWithCode(5), "server 0 has no memory to apply a step: .* rows in .* bytes are held");
}

}  // namespace
}  // namespace dyad::ps
