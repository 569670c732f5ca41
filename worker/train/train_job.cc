#include "worker/train/train_job.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/ckpt/manifest.h"
#include "common/control/client.h"
#include "common/control/heartbeat.h"
#include "common/control/job_security.h"
#include "worker/job/eager_tables.h"
#include "worker/job/job_data.h"
#include "worker/model/pin_kernels.h"
#include "worker/rows/row_client.h"
#include "worker/rows/make_row_client.h"
#include "worker/train/dense_state.h"
#include "worker/train/leave_soon.h"
#include "worker/train/trainer.h"

namespace dyad::worker {
namespace {

RowClientOptions row_options(const config::Config& config, const control::ClientOptions& who) {
  RowClientOptions options;
  options.rank = WorkerRank{who.id};
  options.incarnation = who.incarnation;
  options.run = who.run;
  options.partition = {config.servers.buckets, config.servers.groups};
  options.values = config.rows.wire == "fp16" ? wire::ValueType::kFp16 : wire::ValueType::kFp32;
  options.timeout_ms = config.servers.timeout_ms;
  options.security = who.security;
  options.job_dir = config.job.dir;
  return options;
}

// The weights that a new job begins with, of another's checkpoint: its moments belong to a schedule and an optimizer
// that were.
Status begin_with(const wire::Registered& registered, Eager& model) {
  const std::filesystem::path folder = registered.checkpoint;
  DYAD_TRY(manifest, ckpt::read_manifest_of(folder, registered.manifest));
  DYAD_TRY(step, load_dense_part(folder, model, /*optimizer=*/nullptr));
  if (step == manifest.step) return ok();
  return fail(Code::kInvalid, "{}: the manifest is of step {}, dense.safetensors of step {}; check it with "
              "`dyad ckpt verify`", folder.string(), manifest.step, step);
}

// The cut a job goes on from: dense weights into the model, its place in the epochs as the cursor.
Result<Cursor> resume_from(const wire::Registered& registered, Eager& model, DenseOptimizer& optimizer) {
  if (registered.resume == Step{0}) {
    if (!registered.checkpoint.empty()) { DYAD_TRYV(begin_with(registered, model)); }
    return Cursor{};
  }
  const std::filesystem::path folder = registered.checkpoint;
  DYAD_TRY(manifest, ckpt::read_manifest(folder));
  DYAD_TRY(step, load_dense_part(folder, model, &optimizer));
  if (step != registered.resume || manifest.step != registered.resume)
    return fail(Code::kInvalid,
                "{}: the manifest is of step {}, dense.safetensors of step {}, the coordinator said {}; check it with "
                "`dyad ckpt verify`",
                folder.string(), manifest.step, step, registered.resume);
  for (const std::string& change : changed_kernels(manifest.facts))
    LOG_WARN("{}: {}: the bytes will not be those of a job that never stopped", folder.string(), change);
  return Cursor{manifest.step, manifest.epoch, manifest.next_batch};
}

// What L_con compares with, where it is on; else nobody reads the vectors.
Result<std::array<torch::Tensor, 2>> open_targets(const config::Config& config, JobData& job) {
  std::array<torch::Tensor, 2> targets;
  if (!config.model.gct) return targets;
  for (std::size_t s = 0; s < 2; ++s) {
    DYAD_TRY(vectors, read_vectors(job, data::kStreams[s]));
    targets[s] = contrast_targets(std::move(vectors));
  }
  return targets;
}

ModelOptions model_options(const config::Config& config, const JobData& job,
                           const std::array<torch::Tensor, 2>& targets, torch::Device device) {
  ModelOptions options;
  options.model = config.model;
  options.levels = static_cast<std::int64_t>(job.tries[0].levels());
  if (config.model.gct) options.vector_width = {targets[0].size(1), targets[1].size(1)};
  options.seed = config.job.seed;
  options.type = config.train.precision == "bf16" ? at::kBFloat16 : at::kFloat;
  options.device = device;
  return options;
}

// What can't look at the coordinator's word while it waits (a device for a frozen peer's, a disk) ends here.
std::jthread last_resort(std::shared_ptr<const control::HeartbeatThread> heartbeat) {
  constexpr auto kLook = std::chrono::milliseconds(100), kLeave = std::chrono::milliseconds(1500);
  return std::jthread([heartbeat = std::move(heartbeat), kLook, kLeave](std::stop_token done) {
    for (auto told = std::chrono::milliseconds(0); !done.stop_requested(); std::this_thread::sleep_for(kLook)) {
      if (heartbeat->heard()) continue;
      if ((told += kLook) < kLeave) continue;
      LOG_ERROR("{} (it waited where that could not be heard)", heartbeat->heard().error().message);
      std::_Exit(static_cast<int>(Code::kStale));
    }
  });
}

}  // namespace

Status run_train_job(const config::Config& config, comm::Collective& all, torch::Device device,
                     const std::atomic<int>& stop_signal) {
  DYAD_TRY(job, open_job_data(config.job.data));
  DYAD_TRY(targets, open_targets(config, job));
  control::ClientOptions who;
  who.role = wire::Role::kWorker;
  who.id = all.rank().value;
  who.address = config.coordinator.address;
  who.job_dir = config.job.dir;
  DYAD_TRY(security,
           control::join_security(config, config.servers.timeout_ms, [&stop_signal] { return stop_signal != 0; }));
  who.security = security;
  who.call_ms = static_cast<int>(config.servers.timeout_ms);
  DYAD_TRY(control, control::ControlClient::connect(who));
  DYAD_TRY(registered, control->register_({"", config::result_digest(config), static_cast<std::uint32_t>(getpid()),
                                           host_name(), job.identity.parts(), eager_tables(config, job)}));
  who.incarnation = registered.incarnation;
  who.run = registered.run;
  DYAD_TRY(started, control::HeartbeatThread::start(who, static_cast<int>(config.coordinator.heartbeat_ms)));
  const std::shared_ptr<control::HeartbeatThread> heartbeat = std::move(started);   // the collective may outlive us
  const auto give_up = [heartbeat] { return heartbeat->heard(); };
  all.set_give_up(give_up);
  const std::jthread ends_what_cannot_hear = last_resort(heartbeat);
  DYAD_TRY(routing, control::wait_routing(*control, *heartbeat, static_cast<int>(config.servers.timeout_ms)));
  DYAD_TRYV(check_same_kernels(all));          // a sum: from here on it hears when a rank is lost
  net::Context context;
  auto to_servers = row_options(config, who);
  to_servers.give_up = give_up;
  DYAD_TRY(rows, make_row_client(context, to_servers, routing));
  heartbeat->set_state("training");

  const ModelOptions options = model_options(config, job, targets, device);
  Eager model(options, std::move(targets));
  DenseOptimizer optimizer(model.parameters(), config.train.weight_decay, config.train.clip);
  DYAD_TRY(cursor, resume_from(registered, model, optimizer));
  Trainer trainer({config, job.dataset, job.trie_views(), model, optimizer, *rows, routing.tables, all, *control, who,
                   *heartbeat, stop_signal, ckpt::checkpoints_dir(config.job.dir),
                   {registered.run, registered.generation}},
                  device);
  LeaveSoon ends_what_waits;                     // destroyed before the trainer
  LOG_INFO("{} samples from step {}, epoch {}, batch {}; {} dense parameter tensors", trainer.samples(), cursor.step,
           cursor.epoch + 1, cursor.batch, model.parameters().size());
  const auto trained = trainer.run(cursor);
  if (!trained) {
    ends_what_waits.because(trained.error());
    return trained.error();
  }
  const TrainSummary& summary = trained.value();
  LOG_INFO("{} at step {}: {} samples of this rank in {:.1f} s, last loss {:.4f}",
           summary.finished ? "done" : "stopped", summary.end.step, summary.samples, summary.seconds,
           summary.last_loss);
  ends_what_waits.call_off();
  DYAD_TRYV(all.barrier());
  all.set_give_up({});
  return control->goodbye(summary.finished ? "done" : "stopped", static_cast<int>(config.servers.timeout_ms));
}

}  // namespace dyad::worker
