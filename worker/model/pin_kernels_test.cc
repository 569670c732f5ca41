// Which vector instructions a job computes with is one choice, the same on all ranks, and known to its checkpoints.
#include "worker/model/pin_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdlib>
#include <functional>
#include "worker/model/kernels/kernels.h"

namespace dyad::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Rank 0 of two; the other computes with `other`.
class Pair : public comm::Collective {
 public:
  explicit Pair(Kernels other) : other_(other) {}
  WorkerRank rank() const override { return WorkerRank{0}; }
  std::uint32_t size() const override { return 2; }
  bool on_device() const override { return false; }
  void start_sum(std::span<float>) override {}
  Status wait() override { return ok(); }
  Status sum(std::span<double> values) override {
    ++values[static_cast<std::size_t>(other_)];
    return ok();
  }
  Status broadcast(std::span<std::byte>) override { return ok(); }
  Status barrier() override { return ok(); }
  void set_give_up(std::function<Status()>) override {}
  void abort(int code) override { std::exit(code); }

 private:
  Kernels other_;
};

TEST(PinKernels, RanksThatComputeAlikeMayTrainTogether) {
  Pair pair(kernels::in_use());
  EXPECT_TRUE(check_same_kernels(pair).has_value());
}

TEST(PinKernels, RanksThatDoNotAreToldWhatAllOfThemHave) {
  Pair pair(kernels::in_use() == Kernels::kAvx2 ? Kernels::kAvx512 : Kernels::kAvx2);
  const auto status = check_same_kernels(pair);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Code::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("1 rank(s) with avx512"));
  EXPECT_THAT(status.error().message, HasSubstr("train.kernels = \"avx2\""));
}

TEST(PinKernels, AChangeSinceTheCheckpointIsNamedWithBothValues) {
  auto facts = kernel_facts();
  EXPECT_THAT(changed_kernels(facts), IsEmpty());
  facts["libtorch"] = "1.0";
  EXPECT_THAT(changed_kernels(facts), ElementsAre(HasSubstr("libtorch was 1.0, is ")));
  EXPECT_THAT(changed_kernels({{"loss", "1"}}), IsEmpty());      // of a Dyad that did not note them
}

TEST(PinKernels, LoopsFollowTheChoice) {
  kernels::use(Kernels::kAvx2);
  EXPECT_EQ(&kernels::table(), &kernels::table_v3());
  kernels::use(best_kernels());
  EXPECT_EQ(&kernels::table(), best_kernels() == Kernels::kAvx2 ? &kernels::table_v3() : &kernels::table_v4());
}

}  // namespace
}  // namespace dyad::worker
