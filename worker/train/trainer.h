#pragma once
// The training loop of one rank. A step: read (a prefetched batch) -> pull rows -> forward -> backward with the dense
// sums running beside it -> (all finite, on all ranks?) push row gradients -> start the next pull -> clip and update
// the dense weights. In sync mode the pull of step t waits for step t-1 of all ranks, while the weights are updated; in
// ssp(s) the pull of step t+1 is in flight while step t computes; async never waits. Everything random is keyed by
// (seed, step or sample), so the loop's whole state is its Cursor, the dense weights and their optimizer: that, the
// servers' rows and the leases are a checkpoint. Threads: run() on one; a producer thread makes batches, another writes
// the dense part of a checkpoint.
#include <array>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include "common/ckpt/staging.h"
#include "common/comm/collective.h"
#include "common/config/config.h"
#include "common/control/client.h"
#include "common/control/heartbeat.h"
#include "common/data/dataset.h"
#include "common/data/epoch_plan.h"
#include "common/data/trie.h"
#include "common/metrics/event_file.h"
#include "common/metrics/histogram.h"
#include "common/metrics/step_log.h"
#include "common/tables/tables.h"
#include "worker/batch/batch_builder.h"
#include "worker/model/dense_optimizer.h"
#include "worker/model/eager.h"
#include "worker/rows/row_client.h"
#include "worker/train/gradient_reducer.h"
#include "worker/train/phases.h"
#include "worker/train/prefetcher.h"
#include "worker/train/row_stage.h"
#include "worker/train/step_order.h"
#include "worker/train/step_protocol.h"
#include "worker/train/step_sums.h"

namespace dyad::worker {

struct TrainerParts {                        // borrowed; they outlive the trainer
  const config::Config& config;
  const data::Dataset& dataset;
  std::array<const data::Trie*, 2> tries;
  Eager& model;
  DenseOptimizer& optimizer;
  RowClient& rows;
  const Tables& tables;                      // that `rows` asks for
  comm::Collective& all;
  control::ControlClient& control;
  const control::ClientOptions& control_options;   // of `control`, registered: for a client on another thread
  control::HeartbeatThread& heartbeat;
  const std::atomic<int>& stop_signal;       // nonzero: cut at the end of this step and leave
  std::filesystem::path checkpoints;         // <job.dir>/checkpoints
  ckpt::Fence fence;                         // of what this rank writes there
};

struct TrainSummary {
  Cursor end;
  std::uint64_t samples = 0;                 // of this rank
  double seconds = 0, last_loss = 0;
  bool finished = false;                     // false: stopped by a signal, resumable
};

class Trainer {
 public:
  Trainer(const TrainerParts& parts, torch::Device device);
  ~Trainer();
  Result<TrainSummary> run(const Cursor& from);
  std::size_t samples() const { return samples_.size(); }   // of an epoch, over all ranks

 private:
  struct Work {                              // one step's batch and where it lies
    StepPlace place;
    Batch batch;
    bool pull_started = false;
  };
  std::optional<Work> produce();             // on the producer thread
  Status start_pull(const Work& work, RowStage& stage);
  struct Stepped {                           // what a step leaves to be done once its gradients are on their way
    StepSums sums;
    double rate = 0, norm = 0;
    bool stop = false;                       // a rank was asked to leave: this step is the last
  };
  Result<Stepped> step(const Work& work, RowStage& stage);
  Status settle(const Work& work, const Stepped& stepped);   // dense weights, lease, curve, and the cut if one is due
  Status cut(const Work& work);
  enum class Wait { kForNext, kForEnd };      // what waits for the cut: the next one, or the end of the job
  Status finish_cut(Wait wait);
  Status open_logs(Step from);
  void log_step(const Work& work, const StepSums& sums, double rate);
  void report(const Work& work, const StepSums& sums, double rate);

  TrainerParts parts_;
  const config::Config& config_;
  std::vector<data::Sample> samples_;
  BatchBuilder builder_;
  std::vector<std::string> loss_names_;      // "loss", then the model's
  GradientReducer reducer_;
  std::array<RowStage, 2> stage_;            // two, so that a pull can be in flight while the other computes
  std::optional<StepOrder> order_;           // of the producer, and so is the next
  std::unique_ptr<data::EpochPlan> plan_;
  std::optional<StepProtocol> protocol_;     // of this run
  std::uint64_t schedule_steps_ = 0;         // where the learning rate's cosine ends
  // The dense part of the last cut, until it is committed or given up; then why.
  std::future<Result<std::string>> writing_;
  std::atomic<bool> hurry_{false}, leaving_{false};   // to the thread that writes it: no more tries; no more waiting
  std::optional<metrics::StepLog> step_log_; // of rank 0, and so are the next
  std::optional<metrics::EventFile> events_;
  double logged_s_ = 0;
  std::uint64_t logged_samples_ = 0;         // since the last step that was logged
  metrics::Histogram step_seconds_;
  double stepped_s_ = 0;                     // when the last step ended
  std::uint64_t behind_ = 0;                 // steps that the rows of the last pull lacked
  PhaseTimes phases_;
  TrainSummary summary_;
  double loss_epoch_ = 0;
  std::uint64_t loss_steps_ = 0;
  double reported_s_ = 0;
  std::uint64_t reported_samples_ = 0;
};

}  // namespace dyad::worker
