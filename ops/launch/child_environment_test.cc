#include "ops/launch/child_environment.h"

#include <algorithm>
#include <gtest/gtest.h>
#include "common/base/process.h"

namespace dyad::ops {
namespace {

TEST(ChildEnvironment, LeavesOutASchedulerAndAnOuterMpirunAndKeepsAUsersSettings) {
  const char* outer[] = {"PATH=/bin",
                         "SLURM_JOB_ID=7",
                         "SLURM_NODELIST=a[1-2]",
                         "PBS_NODEFILE=/x",
                         "PMIX_RANK=0",
                         "PMIX_MCA_gds=hash",
                         "OMPI_COMM_WORLD_RANK=3",
                         "OMPI_MCA_ess=^singleton",
                         "OMPI_MCA_btl_tcp_if_include=eth0",
                         "OMPI_ALLOW_RUN_AS_ROOT=1",
                         "DYAD_LAUNCHER=17",
                         "DYAD_JOB_SEED=5",
                         nullptr};
  const std::string self = std::string(kLauncherVariable) + "=" + launcher_mark();
  EXPECT_EQ(child_environment(outer), (std::vector<std::string>{"PATH=/bin", "PMIX_MCA_gds=hash",
                                                                "OMPI_MCA_btl_tcp_if_include=eth0",
                                                                "OMPI_ALLOW_RUN_AS_ROOT=1", "DYAD_JOB_SEED=5", self}));
  const auto all = child_environment(outer, /*keep_scheduler=*/true);
  EXPECT_EQ(all.size(), 12u);
  EXPECT_EQ(std::count(all.begin(), all.end(), "SLURM_JOB_ID=7"), 1);
}

}  // namespace
}  // namespace dyad::ops
