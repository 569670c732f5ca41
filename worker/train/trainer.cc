#include "worker/train/trainer.h"

#include <algorithm>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/persist.h"
#include "common/data/samples.h"
#include "common/metrics/training_events.h"
#include "common/metrics/wall_time.h"
#include "worker/model/pin_kernels.h"
#include "worker/train/dense_state.h"

namespace dyad::worker {

namespace {

std::vector<torch::Tensor> tensors_of(Eager& model) {
  std::vector<torch::Tensor> out;
  for (const auto& p : model.parameters()) out.push_back(p.value);
  return out;
}

// Says the part until its cut is committed (empty) or given up (why), or until `leaving`. Servers write for as long as
// their disks need; a part that is late is no lost peer. kStale: one that owes a part is lost, or another peer, as the
// heartbeat hears. kDisconnected: the coordinator answers no more.
Result<std::string> commit_part(control::ControlClient& control, const wire::CutPart& part,
                                const control::HeartbeatThread& heartbeat, const std::atomic<bool>& leaving,
                                double warn_every_s) {
  const double start_s = steady_now_s();
  for (double warn_s = start_s + warn_every_s; !leaving;) {
    DYAD_TRY(status, control.cut_part(part, 1000));
    if (status.committed || !status.given_up.empty()) return std::move(status.given_up);
    DYAD_TRYV(heartbeat.heard());
    if (steady_now_s() < warn_s) continue;
    LOG_WARN("cut {} is not committed after {:.0f} s: a server still writes its part", part.step,
             steady_now_s() - start_s);
    warn_s += warn_every_s;
  }
  return std::string("this rank leaves");
}

// A pull that asked no server for anything was behind by nothing; in async mode a server may be ahead.
std::uint64_t steps_behind(Step step, Step applied) {
  return step.value - 1 - std::min(step.value - 1, applied.value);
}

std::vector<std::string> all_loss_names(const Eager& model) {
  std::vector<std::string> names{"loss"};
  for (auto& name : loss_names(model.options().levels)) names.push_back("loss." + name);
  return names;
}

}  // namespace

Trainer::Trainer(const TrainerParts& parts, torch::Device device)
    : parts_(parts),
      config_(parts.config),
      samples_(data::samples(parts.dataset, data::Split::kTrain)),
      builder_(parts.dataset, samples_, parts.tries, parts.config.model, parts.config.job.seed),
      loss_names_(all_loss_names(parts.model)),
      reducer_(tensors_of(parts.model), parts.all, parts.config.train.allreduce_bucket_mb,
               StepSums::count(loss_names_.size())),
      stage_{RowStage(parts.config.model.dim, device), RowStage(parts.config.model.dim, device)} {}

Trainer::~Trainer() {
  hurry_ = leaving_ = true;
  if (writing_.valid()) writing_.wait();
}

std::optional<Trainer::Work> Trainer::produce() {
  const std::optional<StepPlace> place = order_->next();
  if (!place) return std::nullopt;
  if (!plan_) {
    data::EpochOptions options;
    options.seed = config_.job.seed;
    options.epoch = place->epoch;
    options.global_batch = config_.train.batch;
    options.history_max = config_.model.history;
    plan_ = std::make_unique<data::EpochPlan>(samples_, options);
  }
  Work work{.place = *place};
  work.batch = builder_.build(place->epoch, place->batch, place->step, *plan_, parts_.all.rank(), parts_.all.size());
  if (place->last_of_epoch) plan_.reset();
  return work;
}

Status Trainer::start_pull(const Work& work, RowStage& stage) {
  const auto requests = stage.prepare(work.batch);
  return parts_.rows.start_pull(protocol_->pull_floor(work.place.step), requests);
}

Result<TrainSummary> Trainer::run(const Cursor& from) {
  const std::uint64_t batches = data::EpochPlan::batches_of(samples_.size(), config_.train.batch);
  order_.emplace(StepOrderOptions{batches, config_.train.epochs, config_.train.max_steps}, from);
  protocol_.emplace(config_.train, config_.checkpoint, from.step);
  schedule_steps_ = order_->whole();
  summary_.end = from;
  const double start = steady_now_s();
  reported_s_ = start;
  stepped_s_ = logged_s_ = start;
  DYAD_TRYV(open_logs(from.step));
  Prefetcher<Work> prefetcher([this] { return produce(); }, 2);
  const bool sync = config_.train.mode == "sync";
  std::optional<Work> work = prefetcher.next();
  for (std::size_t i = 0; work; i ^= 1) {
    if (const auto wants = protocol_->wants(work->place)) {
      DYAD_TRY(lease, parts_.control.acquire_lease(wants->epoch, wants->first_batch));
      DYAD_TRYV(protocol_->leased(work->place, lease));
    }
    phases_.enter(Phase::kPull);
    if (!work->pull_started) {
      DYAD_TRYV(start_pull(*work, stage_[i]));
    }
    DYAD_TRYV(parts_.rows.wait());
    behind_ = steps_behind(work->place.step, parts_.rows.traffic().applied);
    std::optional<Work> next;
    const auto pull_next = [&]() -> Status {       // if its batch is there: the sort of an epoch's plan is not awaited
      if (work->place.last_of_job || !(next = prefetcher.next_if_ready())) return ok();
      next->pull_started = true;
      return start_pull(*next, stage_[i ^ 1]);
    };
    if (!sync && !protocol_->cuts_after(work->place)) { DYAD_TRYV(pull_next()); }   // a cut drains first
    DYAD_TRY(stepped, step(*work, stage_[i]));
    if (sync && !stepped.stop) { DYAD_TRYV(pull_next()); }
    DYAD_TRYV(settle(*work, stepped));
    if (stepped.stop) break;
    phases_.enter(Phase::kRead);
    if (!next && !work->place.last_of_job) next = prefetcher.next();
    work = std::move(next);
  }
  phases_.enter(Phase::kCut);
  DYAD_TRYV(parts_.rows.flush());
  DYAD_TRYV(finish_cut(Wait::kForEnd));
  phases_.leave();
  step_log_.reset();                             // writes what a full disk kept it from, before the job is over
  events_.reset();
  summary_.seconds = steady_now_s() - start;
  return summary_;
}

Result<Trainer::Stepped> Trainer::step(const Work& work, RowStage& stage) {
  const Batch& batch = work.batch;
  set_log_step(batch.step);
  parts_.heartbeat.set_step(batch.step);
  DYAD_TRYV(parts_.heartbeat.heard());
  Stepped stepped{.sums = StepSums(loss_names_.size())};
  StepSums& sums = stepped.sums;
  sums.samples() = static_cast<float>(batch.size);
  sums.stop() = parts_.stop_signal.load() ? 1.0f : 0.0f;
  reducer_.begin();
  const RowTensors rows = stage.tensors();
  if (batch.size > 0) {                       // a rank's part of a short batch may be empty
    phases_.enter(Phase::kForward);
    const Losses losses =
        parts_.model.forward(batch, rows, mix64(config_.job.seed, batch.step.value, parts_.all.rank().value));
    phases_.enter(Phase::kBackward);
    losses.total.backward();
    sums.losses()[0] = losses.total.item<float>();
    const auto parts = losses.parts.cpu();
    std::copy_n(parts.data_ptr<float>(), parts.numel(), sums.losses().begin() + 1);
  }
  phases_.enter(Phase::kAllReduce);
  const auto gradients = stage.gradients(batch);
  DYAD_TRYV(sum_over_ranks(batch.step, reducer_, gradients, parts_.tables, sums));
  stepped.stop = sums.stop() > 0 && !work.place.last_of_job;
  stepped.rate = learning_rate(config_.train, batch.step.value, schedule_steps_);
  phases_.enter(Phase::kOptimizer);
  DYAD_TRY(norm, parts_.optimizer.norm(batch.step.value));
  stepped.norm = norm;
  phases_.enter(Phase::kPush);
  const auto row_rate = static_cast<float>(stepped.rate * config_.rows.lr_scale);
  DYAD_TRYV(parts_.rows.push(gradients, {batch.step, row_rate, stepped.stop || protocol_->cuts_after(work.place)}));
  return stepped;
}

Status Trainer::settle(const Work& work, const Stepped& stepped) {
  const Batch& batch = work.batch;
  phases_.enter(Phase::kOptimizer);
  parts_.optimizer.update(stepped.rate, batch.step.value, stepped.norm);
  phases_.enter(Phase::kPush);
  if (const auto complete = protocol_->trained(work.place, batch.size, batch.checksum, stepped.stop)) {
    DYAD_TRYV(parts_.control.complete_lease(*complete));
  }
  summary_.end = work.place.after();
  summary_.samples += batch.size;
  summary_.finished = work.place.last_of_job;
  log_step(work, stepped.sums, stepped.rate);
  report(work, stepped.sums, stepped.rate);
  if (stepped.stop || protocol_->cuts_after(work.place)) {
    phases_.enter(Phase::kCut);
    DYAD_TRYV(cut(work));
  }
  return ok();
}

// Rank 0 writes the dense part beside the training; the servers write theirs when the push with the cut flag is
// applied.
Status Trainer::cut(const Work& work) {
  protocol_->cut(work.place.step);
  if (parts_.all.rank() != WorkerRank{0}) return ok();
  DYAD_TRYV(finish_cut(Wait::kForNext));      // one at a time
  const auto folder = ckpt::staging_folder(parts_.checkpoints, work.batch.step, parts_.fence);
  std::map<std::string, std::string> facts{{"epoch", std::to_string(summary_.end.epoch)},
                                           {"next_batch", std::to_string(summary_.end.batch)},
                                           {"loss", fmt::format("{:.6f}", summary_.last_loss)}};
  facts.merge(kernel_facts());
  auto state = copy_dense_state(parts_.model, parts_.optimizer, work.batch.step);
  writing_ = std::async(
      std::launch::async,
      [this, folder, facts = std::move(facts), state = std::move(state),
       step = work.batch.step]() -> Result<std::string> {
        wire::CutPart part{.step = step, .facts = facts};
        const auto file = ckpt::persist<wire::FilePart>(
            fmt::format("cut {}", step), [&] { return write_dense_part(folder, state); },
            [this] { return hurry_ || !parts_.heartbeat.heard(); });
        if (file) part.files = {file.value()};
        else part.failure = file.error().message;
        DYAD_TRY(control, control::ControlClient::connect(parts_.control_options));  // this thread's own
        return commit_part(*control, part, parts_.heartbeat, leaving_, config_.servers.timeout_ms * 1e-3);
      });
  return ok();
}

// A cut that is given up costs the steps until the next one, and no more; but a job does not end without its last.
Status Trainer::finish_cut(Wait wait) {
  if (!writing_.valid()) return ok();
  hurry_ = wait == Wait::kForNext;
  DYAD_TRY(given_up, writing_.get());
  hurry_ = false;
  if (given_up.empty()) return ok();
  if (wait == Wait::kForEnd)
    return fail(Code::kFailed, "the last checkpoint was not written: {}; mend it and go on with --resume", given_up);
  LOG_WARN("a checkpoint was given up, training goes on to the next: {}", given_up);
  return ok();
}

Status Trainer::open_logs(Step from) {
  if (config_.train.log_every == 0 || parts_.all.rank() != WorkerRank{0}) return ok();
  const std::filesystem::path folder = config_.job.dir;
  DYAD_TRY(log, metrics::StepLog::open(folder / metrics::kStepLogName, from));
  step_log_.emplace(std::move(log));
  if (!config_.train.tensorboard) return ok();
  DYAD_TRY(events, metrics::open_training_events(folder, from));
  events_.emplace(std::move(events));
  return ok();
}

// A curve that cannot be written for now is no reason to end: the log keeps what it owes.
void Trainer::log_step(const Work& work, const StepSums& sums, double rate) {
  logged_samples_ += static_cast<std::uint64_t>(sums.samples());
  const std::uint64_t step = work.batch.step.value;              // not last_of_job: max_steps must leave no trace
  if (!step_log_ || (step % config_.train.log_every != 0 && step != schedule_steps_)) return;
  metrics::StepRecord record{work.batch.step, work.batch.epoch, {{"lr", rate}, {"samples", sums.samples()}}};
  for (std::size_t i = 0; i < loss_names_.size(); ++i) record.values[loss_names_[i]] = sums.losses()[i];
  step_log_->append(record);
  const double now = steady_now_s(), since = std::max(now - logged_s_, 1e-9);
  metrics::ScalarEvent event{metrics::unix_now(), record.step, metrics::scalars_of(record)};
  event.scalars[metrics::kSpeedTag] = static_cast<double>(logged_samples_) / since;
  logged_s_ = now;
  logged_samples_ = 0;
  if (events_) events_->append(event);
}

void Trainer::report(const Work& work, const StepSums& sums, double rate) {
  summary_.last_loss = sums.losses()[0];
  loss_epoch_ += sums.losses()[0];
  ++loss_steps_;
  reported_samples_ += static_cast<std::uint64_t>(sums.samples());
  const double now = steady_now_s(), since = now - reported_s_;
  step_seconds_.add(now - stepped_s_);
  stepped_s_ = now;
  if (since < 0.5 && !work.place.last_of_epoch) return;
  auto metrics = phases_.by_name();
  for (std::size_t i = 0; i < loss_names_.size(); ++i) metrics[loss_names_[i]] = sums.losses()[i];
  metrics["samples_per_s"] = static_cast<double>(reported_samples_) / since;
  metrics["learning_rate"] = rate;
  metrics["staleness_steps"] = static_cast<double>(behind_);
  step_seconds_.put("step_seconds", metrics);
  const auto traffic = parts_.rows.traffic();
  metrics["pulled_rows_total"] = static_cast<double>(traffic.pulled_rows);
  metrics["pulled_bytes_total"] = static_cast<double>(traffic.pulled_bytes);
  metrics["pushed_bytes_total"] = static_cast<double>(traffic.pushed_bytes);
  metrics["resent_pushes_total"] = static_cast<double>(traffic.resent);
  parts_.heartbeat.set_metrics(metrics);
  reported_s_ = now;
  reported_samples_ = 0;
  if (!work.place.last_of_epoch) return;
  LOG_INFO("epoch {}: mean loss {:.4f}, {:.0f} samples/s lately", work.batch.epoch + 1,
           loss_epoch_ / static_cast<double>(loss_steps_), metrics["samples_per_s"]);
  loss_epoch_ = 0;
  loss_steps_ = 0;
}

}  // namespace dyad::worker
