#pragma once
// A whole job as processes of this machine: coordinator, servers, workers under mpirun, and an evaluator that follows
// the checkpoints. A coordinator that is killed is started again and goes on with its journal; nobody else notices. Any
// other process that dies ends the attempt, and the job is started again from its last checkpoint, which in sync mode
// gives the bytes of a run that nothing disturbed; but not after what would be the same again (codes 2 and 3). Of the
// evaluator nothing depends, and it is started again beside the others. Leaves no process behind, however it ends.
// Threads: one.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"
#include "common/config/config.h"
#include "ops/launch/child.h"
#include "ops/launch/evaluator.h"
#include "ops/launch/restarts.h"

namespace dyad::ops {

struct LocalClusterOptions {
  std::filesystem::path config_file;         // the resolved one, in the job's folder
  bool resume = false;
  std::uint32_t restarts_max = 6;            // without a new checkpoint in between (restarts.h)
  std::string mpirun;                        // see mpirun_arguments()
};

// How a job ends that did not fail. kStoppedAtStart: asked to stop before any process could write a checkpoint;
// kStoppedAtOnce: asked again while they did.
enum class End { kFinished, kStopped, kStoppedAtStart, kStoppedAtOnce };

class LocalCluster {
 public:
  LocalCluster(config::Config config, LocalClusterOptions options);
  // Runs the job to its end. `tick` is called a few times a second while it runs; `stop_requests` gives how often the
  // user asked to stop: once lets the workers write a checkpoint and leave (resumable), twice kills. Fails with the
  // code of the first process that failed, its name and the end of its log.
  Result<End> run(std::function<void()> tick, std::function<int()> stop_requests);

 private:
  enum class Begin { kFresh, kResume, kRecover };
  Result<End> attempt();
  Status start_all();
  Status start_coordinator(Begin begin);
  Status start_others();
  Status keep_coordinator();
  Result<End> supervise();
  Status start_workers();
  Status check_exit_codes();
  std::optional<Millis> next_restart();
  bool rest(Millis ms);                      // false: asked to stop meanwhile
  Child* ended_part();
  bool all_ended();
  void kill_all();
  std::filesystem::path log_of(const std::string& name) const;

  config::Config config_;
  LocalClusterOptions options_;
  std::filesystem::path job_dir_;
  std::function<void()> tick_;
  std::function<int()> stop_requests_;
  std::vector<Child> children_;              // coordinator first, then servers, then the worker job
  Evaluator evaluator_;
  bool has_run_ = false;                     // every process was started once
  Restarts restarts_;
};

// mpirun and its arguments for a job of `ranks` processes, on this machine (no core binding: servers share the cores)
// unless `more`, words separated by spaces that follow, says otherwise.
std::vector<std::string> mpirun_arguments(std::uint32_t ranks, const std::string& more = "");

}  // namespace dyad::ops
