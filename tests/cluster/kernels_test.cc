// What the bytes of a run depend on beside its configuration: the vector instructions of its processors.
#include <gtest/gtest.h>
#include "common/base/processor.h"
#include "common/ckpt/manifest.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

TEST(Kernels, AJobHeldToOneKindNotesItAndGivesThatKindsBytes) {
  const auto avx2 = trained("avx2", {"train.kernels=avx2"});
  const auto facts = ckpt::read_manifest(avx2).value().facts;
  EXPECT_EQ(facts.at("kernels"), "avx2");
  EXPECT_NE(facts.at("libtorch"), "");
  EXPECT_EQ(ckpt::read_manifest(undisturbed()).value().facts.at("kernels"), kernels_name(best_kernels()));
  if (best_kernels() == Kernels::kAvx2) return;
  EXPECT_NE(difference(avx2, undisturbed()), "") << "train.kernels chose nothing";
  EXPECT_EQ(difference(avx2, trained("avx2-again", {"train.kernels=avx2"})), "");
}

}  // namespace
}  // namespace dyad::tests
