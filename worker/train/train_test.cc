// The parts of the training loop that need no cluster.
#include <gtest/gtest.h>
#include <array>
#include <chrono>
#include <thread>
#include <vector>
#include "worker/train/gradient_reducer.h"
#include "worker/train/leave_soon.h"
#include "worker/train/phases.h"
#include "worker/train/prefetcher.h"

namespace dyad::worker {
namespace {

// A collective that remembers what was summed when, and doubles it, as two equal ranks would.
class Doubling : public comm::Collective {
 public:
  std::vector<std::size_t> started;
  Status waited = ok();
  WorkerRank rank() const override { return WorkerRank{0}; }
  std::uint32_t size() const override { return 2; }
  bool on_device() const override { return false; }
  void start_sum(std::span<float> values) override {
    started.push_back(values.size());
    for (float& x : values) x *= 2;
  }
  Status wait() override { return waited; }
  Status sum(std::span<double>) override { return ok(); }
  Status broadcast(std::span<std::byte>) override { return ok(); }
  Status barrier() override { return ok(); }
  void set_give_up(std::function<Status()>) override {}
  [[noreturn]] void abort(int code) override { std::_Exit(code); }
};

// A cut's writer in a fsync that does not come back.
struct Hangs {
  ~Hangs() { for (;;) std::this_thread::sleep_for(std::chrono::seconds(1)); }
};

TEST(LeaveSoonDeathTest, ADestructorThatHangsDoesNotKeepARankWhoseTrainingFailed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr std::chrono::milliseconds kSoon(50);
  EXPECT_EXIT(
      {
        Hangs writer;
        LeaveSoon bound(kSoon);
        bound.because(fail(Code::kStale, "a peer is lost"));
      },
      testing::ExitedWithCode(static_cast<int>(Code::kStale)), "");
  EXPECT_EXIT(
      {
        try {
          Hangs writer;
          LeaveSoon bound(kSoon);
          throw std::runtime_error("LibTorch");
        } catch (const std::exception&) {
        }
      },
      testing::ExitedWithCode(static_cast<int>(Code::kFailed)), "");
}

TEST(LeaveSoonDeathTest, ATrainingThatEndedWellHasTheTimeItNeeds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        {
          LeaveSoon bound(std::chrono::milliseconds(20));
          bound.call_off();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(GradientReducer, SumsEveryGradientOnceInAFixedOrderAndLeavesUnusedOnesZero) {
  torch::manual_seed(1);
  auto a = torch::randn({3, 4}).requires_grad_(true), b = torch::randn({4}).requires_grad_(true),
       unused = torch::randn({5}).requires_grad_(true);
  Doubling all;
  GradientReducer reducer({a, b, unused}, all, 1e-6, 2);   // a bucket per parameter
  EXPECT_EQ(reducer.buckets(), 3u);
  for (int pass = 0; pass < 2; ++pass) {                   // the second pass must not see the first one's gradients
    all.started.clear();
    reducer.begin();
    (a * b).sum().backward();
    std::array<float, 2> stats{1.0f, 3.0f};
    ASSERT_TRUE(reducer.finish(stats));
    EXPECT_EQ(all.started, (std::vector<std::size_t>{5, 4, 12, 2}));   // last parameters first, stats at the end
    EXPECT_TRUE(torch::equal(a.grad(), 2 * b.detach().expand({3, 4})));
    EXPECT_TRUE(torch::allclose(b.grad(), 2 * a.detach().sum(0)));
    EXPECT_TRUE(torch::equal(unused.grad(), torch::zeros({5})));
    EXPECT_EQ(stats, (std::array<float, 2>{2.0f, 6.0f}));
  }
}

TEST(GradientReducer, MemoryOfSumsThatDidNotEndWellIsNeverGivenBack) {
  const auto is_kept = [](bool fails, bool throws) {
    Doubling all;
    if (fails) all.waited = fail(Code::kStale, "a peer is lost");
    c10::weak_intrusive_ptr<c10::StorageImpl> memory{c10::intrusive_ptr<c10::StorageImpl>()};
    {
      auto a = torch::ones({3, 4}).requires_grad_(true), b = torch::ones({4}).requires_grad_(true);
      GradientReducer reducer({a, b}, all, 1e-6, 1);
      memory = c10::weak_intrusive_ptr<c10::StorageImpl>(a.grad().storage().getWeakStorageImpl());
      reducer.begin();
      (a * b).sum().backward();
      std::array<float, 1> stats{};
      if (!throws) { EXPECT_EQ(reducer.finish(stats).has_value(), !fails); }
    }
    return !memory.expired();
  };
  EXPECT_TRUE(is_kept(true, false)) << "a wait that was given up";
  EXPECT_TRUE(is_kept(false, true)) << "an exception after the first bucket";
  EXPECT_FALSE(is_kept(false, false));
}

TEST(Prefetcher, GivesEveryValueOnceInOrderThenNothing) {
  int made = 0;
  Prefetcher<int> prefetcher([&]() -> std::optional<int> { return made < 100 ? std::optional(made++) : std::nullopt; },
                             3);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(prefetcher.next(), i);
  EXPECT_EQ(prefetcher.next(), std::nullopt);
}

TEST(Prefetcher, CanBeDroppedWhileItsQueueIsFull) {
  Prefetcher<int> prefetcher([]() -> std::optional<int> { return 1; }, 2);
  EXPECT_EQ(prefetcher.next(), 1);
}

TEST(PhaseTimes, EveryMomentBelongsToOnePhase) {
  const auto sleep = [](int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
  PhaseTimes times;
  const double start = steady_now_s();
  times.enter(Phase::kForward);
  sleep(20);
  times.enter(Phase::kBackward);
  sleep(5);
  times.leave();
  const double elapsed = steady_now_s() - start;
  sleep(10);                                       // nobody's
  times.enter(Phase::kPush);
  times.leave();
  EXPECT_GE(times.seconds(Phase::kForward), 0.020);
  EXPECT_GE(times.seconds(Phase::kBackward), 0.005);
  EXPECT_LT(times.seconds(Phase::kPush), 0.010);
  EXPECT_GT(times.total(), 0.025);
  EXPECT_LT(times.total() - times.seconds(Phase::kPush), elapsed);
  EXPECT_EQ(times.by_name().size(), kPhaseNames.size());
}

}  // namespace
}  // namespace dyad::worker
