// One gradient that is not finite on one of two ranks: both fail alike, and nothing has changed on either.
#include "worker/train/step_sums.h"

#include <gtest/gtest.h>
#include <array>
#include <barrier>
#include <thread>
#include <vector>
#include "common/tables/tables_for_test.h"
#include "worker/model/dense_optimizer.h"
#include "worker/train/row_stage.h"

namespace dyad::worker {
namespace {

struct Meeting {                               // of two ranks on two threads
  std::barrier<> barrier{2};
  std::array<std::span<float>, 2> values;
};

class Pair : public comm::Collective {         // sums in rank order
 public:
  Pair(Meeting& meeting, std::uint32_t rank) : meeting_(meeting), rank_(rank) {}
  WorkerRank rank() const override { return WorkerRank{rank_}; }
  std::uint32_t size() const override { return 2; }
  bool on_device() const override { return false; }
  void start_sum(std::span<float> values) override {
    meeting_.values[rank_] = values;
    meeting_.barrier.arrive_and_wait();
    std::vector<float> sum(values.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = meeting_.values[0][i] + meeting_.values[1][i];
    meeting_.barrier.arrive_and_wait();
    std::copy(sum.begin(), sum.end(), values.begin());
  }
  Status wait() override { return ok(); }
  Status sum(std::span<double>) override { return ok(); }
  Status broadcast(std::span<std::byte>) override { return ok(); }
  Status barrier() override { return ok(); }
  void set_give_up(std::function<Status()>) override {}
  [[noreturn]] void abort(int code) override { std::_Exit(code); }

 private:
  Meeting& meeting_;
  std::uint32_t rank_;
};

struct PushCount : RowClient {                 // rows change by a push and by nothing else
  int pushes = 0;
  Status start_pull(Step, std::span<const PullRequest>) override { return ok(); }
  Status wait() override { return ok(); }
  Status push(std::span<const PushRequest>, const PushOptions&) override { return ++pushes, ok(); }
  Status flush() override { return ok(); }
  RowTraffic traffic() const override { return {}; }
};

enum class Bad { kNothing, kDense, kRow, kLoss };

// The square root of 0 times x: 0, with a gradient that is no number.
torch::Tensor poison(const torch::Tensor& x) { return torch::sqrt(x.flatten()[1] * 0); }

struct Replica {                               // what a rank has, and its steps as Trainer::step makes them
  explicit Replica(Meeting& meeting, std::uint32_t rank) : all(meeting, rank) {
    batch.item_keys = {RowKey{3}, RowKey{17}, RowKey{40}};
    batch.stream[0].keys = {RowKey{1}, RowKey{2}};
  }
  Status step(Step step, Bad bad) {
    StepSums sums(1);
    reducer.begin();
    for (const PullRequest& pull : stage.prepare(batch)) std::fill(pull.out.begin(), pull.out.end(), 0.5f);
    const RowTensors rows = stage.tensors();
    auto loss = (rows.item * weight).sum() + (rows.code[0] * weight).sum();
    if (bad == Bad::kDense) loss = loss + poison(weight);
    if (bad == Bad::kRow) loss = loss + poison(rows.item[1]);
    if (bad == Bad::kLoss) loss = loss / 0;
    loss.backward();
    sums.losses()[0] = loss.item<float>();
    const auto gradients = stage.gradients(batch);
    DYAD_TRYV(sum_over_ranks(step, reducer, gradients, tables_for_test(), sums));
    DYAD_TRY(norm, optimizer.norm(step.value));
    DYAD_TRYV(this->rows.push(gradients, {step}));
    optimizer.update(0.1, step.value, norm);
    return ok();
  }

  Pair all;
  Batch batch;
  torch::Tensor weight = torch::ones({4}).requires_grad_(true);
  GradientReducer reducer{{weight}, all, 1, StepSums::count(1)};
  DenseOptimizer optimizer{{{"weight", weight}}, 0.1, 0};
  RowStage stage{4, torch::kCPU};
  PushCount rows;
};

constexpr const char* kCure = "lower train.lr or train with precision = \"fp32\"";

// One good step of two ranks, then one that is bad on the second rank: what both say.
std::string both_say(Bad bad) {
  Meeting meeting;
  std::array<std::string, 2> said;
  std::array<std::thread, 2> ranks;
  for (std::uint32_t r = 0; r < 2; ++r)
    ranks[r] = std::thread([&, r] {
      Replica rank(meeting, r);
      EXPECT_TRUE(rank.step(Step{1}, Bad::kNothing));
      const auto weight = rank.weight.detach().clone();
      const auto moments = rank.optimizer.state();
      EXPECT_FALSE(torch::equal(weight, torch::ones({4})));
      const Status status = rank.step(Step{2}, r == 1 ? bad : Bad::kNothing);
      EXPECT_EQ(status ? Code{0} : status.error().code, Code::kFailed);
      if (!status) said[r] = status.error().message;
      EXPECT_TRUE(torch::equal(rank.weight, weight));
      for (const auto& [name, moment] : rank.optimizer.state()) EXPECT_TRUE(torch::equal(moment, moments.at(name)));
      EXPECT_EQ(rank.rows.pushes, 1);
    });
  for (auto& rank : ranks) rank.join();
  EXPECT_EQ(said[0], said[1]);
  return said[0];
}

TEST(StepSums, ADenseGradientThatIsNotFiniteStopsEveryRankBeforeAnythingChanges) {
  EXPECT_EQ(both_say(Bad::kDense), fmt::format("step 2: the gradient of weight is not finite; {}", kCure));
}

TEST(StepSums, ARowGradientThatIsNotFiniteStopsEveryRankBeforeAnythingChanges) {
  EXPECT_EQ(both_say(Bad::kRow), fmt::format("step 2: the gradient of a row is not finite on 1 of the ranks (their "
                                             "logs name it); {}", kCure));
}

TEST(StepSums, ALossThatIsNotFiniteStopsEveryRankBeforeAnythingChanges) {
  EXPECT_EQ(both_say(Bad::kLoss), fmt::format("step 2: the loss is not finite; {}", kCure));
}

TEST(StepSums, TheRowToBlameIsNamed) {
  const std::vector<RowKey> keys{RowKey{3}, RowKey{17}, RowKey{40}};
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF})
    for (std::size_t at = 0; at < 3 * 100; ++at) {
      std::vector<float> good(3 * 100, 0.5f), gradient = good;
      gradient[at] = bad;
      const std::array<PushRequest, 3> requests{
          {{TableId{0}, keys, good}, {TableId{1}, {}, {}}, {TableId{2}, keys, gradient}}};
      EXPECT_EQ(bad_row(requests, tables_for_test()), fmt::format("row {} of table code.semantic", keys[at / 100]));
      EXPECT_EQ(bad_row(std::span(requests).first(2), tables_for_test()), "");
    }
}

}  // namespace
}  // namespace dyad::worker
