#include "ops/launch/child_environment.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include "common/base/process.h"

namespace dyad::ops {
namespace {

// Slurm, PBS and Torque, LSF, Grid Engine, Cobalt, Flux; the process managers of MPI; what Open MPI's mpirun tells its
// ranks, parameters for them too.
constexpr std::string_view kOthers[] = {
    "SLURM_",           "SLURMD_",         "SBATCH_",          "PBS_",        "LSB_",          "LSF_",
    "SGE_",             "PE_HOSTFILE=",    "COBALT_",          "FLUX_",       "PMI_",          "PMI2_",
    "PMIX_",            "ORTE_",           "HYDRA_",           "OMPI_ARGV=",  "OMPI_COMMAND=", "OMPI_COMM_WORLD_",
    "OMPI_UNIVERSE_",   "OMPI_APP_CTX_",   "OMPI_NUM_APP_",    "OMPI_FIRST_", "OMPI_FILE_",    "OMPI_MCA_orte_",
    "OMPI_MCA_ess",     "OMPI_MCA_pmix",   "OMPI_MCA_plm",     "OMPI_MCA_ras", "OMPI_MCA_initial_wdir=",
    "OMPI_MCA_shmem_RUNTIME_QUERY_hint="};
constexpr std::string_view kSettings = "PMIX_MCA_";   // a user's, as OMPI_MCA_btl_tcp_if_include is

bool is_anothers(std::string_view variable) {
  return !variable.starts_with(kSettings) &&
         std::any_of(std::begin(kOthers), std::end(kOthers), [&](auto prefix) { return variable.starts_with(prefix); });
}

}  // namespace

std::vector<std::string> child_environment(const char* const* environment, bool keep_scheduler) {
  const std::string launcher = std::string(kLauncherVariable) + "=";
  std::vector<std::string> variables;
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (!variable.starts_with(launcher) && (keep_scheduler || !is_anothers(variable))) variables.emplace_back(variable);
  }
  variables.push_back(launcher + launcher_mark());
  return variables;
}

}  // namespace dyad::ops
