// dyad-worker: one rank of a training or evaluation job, started by mpirun. The only place that knows concrete back
// ends.
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <torch/torch.h>
#include "common/base/descriptors.h"
#include "common/base/keep_memory.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/scarcity.h"
#include "common/cli/program.h"
#include "common/comm/collective.h"
#include "common/config/cli.h"
#include "common/config/config.h"
#include "worker/eval/eval_job.h"
#include "worker/model/pin_kernels.h"
#include "worker/train/train_job.h"

namespace dyad::worker {
namespace {

std::atomic<int> stop_signal{0};
std::atomic<int> terms{0};
// Asks for a checkpoint and the end; SIGUSR1 may come again and again. A second SIGTERM ends a rank that has no step to
// do that after.
void on_stop(int number) {
  stop_signal = 1;
  if (number != SIGTERM || terms.exchange(1) == 0) return;
  std::signal(SIGTERM, SIG_DFL);
  std::raise(SIGTERM);
}

Result<std::unique_ptr<comm::Collective>> open_collective(const std::string& device, int* argc, char*** argv) {
  if (comm::launched_rank() < 0) return comm::make_solo();
  DYAD_TRY(all, comm::make_mpi(argc, argv));
  if (device != "cuda") return std::move(all);
  return comm::make_nccl(std::move(all), comm::launched_local_rank());
}

Result<torch::Device> open_device(const std::string& name) {
  if (name != "cuda") return torch::Device(torch::kCPU);
  if (!torch::cuda::is_available())
    return fail(Code::kInvalid,
                "train.device = \"cuda\", but no CUDA device (or no CUDA build of LibTorch) is here; use --set "
                "train.device=cpu");
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);   // index_add and its like use atomics else
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(std::max(0, comm::launched_local_rank())));
}

// What a training with this device and so many ranks on this machine would meet at its start.
Status check_device(const std::string& device, std::uint32_t ranks) {
  DYAD_TRYV(open_device(device));
  if (device != "cuda") return ok();
  DYAD_TRYV(comm::check_nccl());
  const auto devices = static_cast<std::uint32_t>(std::max<int>(0, torch::cuda::device_count()));
  if (devices >= ranks) return ok();
  return fail(Code::kInvalid,
              "train.workers = {}, and this machine has {} CUDA device(s): one worker a GPU, so lower train.workers",
              ranks, devices);
}

// What oneDNN says when it gets no memory for the code that it generates.
constexpr std::string_view kNoPrimitive = "could not create a primitive";

// LibTorch's exceptions become errors here, and only here.
template <class F> Status guarded(F&& work) {
  try {
    return work();
  } catch (const c10::Error& e) {
    const std::string_view what = e.what_without_backtrace();
    const bool scarce = what.find("can't allocate memory") != what.npos || what.find("out of memory") != what.npos;
    return fail(scarce ? Code::kOverloaded : Code::kFailed, "LibTorch: {}", what);
  } catch (const std::exception& e) {
    if (std::string_view(e.what()) == kNoPrimitive)
      return fail(Code::kOverloaded, "oneDNN: {}: out of memory? Give this rank more, or fewer shapes and threads",
                  e.what());
    return error_of(e);
  }
}

Status train(const config::Sources& sources, comm::Collective& all) {
  DYAD_TRY(config, config::load(sources));
  set_log_level(config.job.log_level);
  if (all.size() != config.train.workers)
    return fail(Code::kInvalid,
                "started with {} rank(s), but train.workers = {}; run `mpirun -n {} dyad-worker train ...`", all.size(),
                config.train.workers, config.train.workers);
  DYAD_TRY(kernels, choose_kernels(config.train.kernels));
  DYAD_TRYV(pin_kernels(kernels));
  at::set_num_threads(static_cast<int>(config.train.threads));
  DYAD_TRY(device, open_device(config.train.device));
  return run_train_job(config, all, device, stop_signal);
}

int finish(const Status& status) {
  if (status) return 0;
  LOG_ERROR("{}", status.error().message);
  return static_cast<int>(status.error().code);
}

// A rank that fails takes the job down with it: the others would wait for it in a sum.
int work(bool is_training, const config::Sources& sources, const EvalJobOptions& eval, int argc, char** argv) {
  std::string device = "cpu";
  if (is_training)
    if (auto config = config::load(sources)) device = config.value().train.device;
  set_log_role(is_training ? "worker" : "evaluator", std::max(0, comm::launched_rank()));
  if (is_training) {                          // an evaluation has nothing to save: signals end it
    std::signal(SIGUSR1, on_stop);
    std::signal(SIGTERM, on_stop);
    std::signal(SIGINT, SIG_IGN);             // Ctrl-C reaches the launcher too, which asks by SIGUSR1
  }
  auto all = open_collective(device, &argc, &argv);
  if (!all) return finish(all.error());
  const Status status =
      guarded([&] { return is_training ? train(sources, *all.value()) : run_eval_job(eval, *all.value()); });
  const int code = finish(status);
  if (code == 0) return 0;
  all.value()->abort(code);
  return 1;                                   // not reached
}

// For `dyad doctor`: the ranks meet and count each other.
int hello(int argc, char** argv) {
  auto all = open_collective("cpu", &argc, &argv);
  if (!all) return cli::finish("dyad-worker", all.error());
  std::array<double, 1> ranks{1};
  const Status summed = all.value()->sum(ranks);
  if (summed && all.value()->rank() == WorkerRank{0}) std::printf("%.0f ranks\n", ranks[0]);
  return cli::finish("dyad-worker", summed);
}

int run(int argc, char** argv) {
  CLI::App app{"One rank of a Dyad job (start it with mpirun)"};
  app.require_subcommand(1);
  app.footer("Example: mpirun -n 2 --bind-to none dyad-worker train --config job.toml");
  config::Sources sources;
  EvalJobOptions eval;
  auto* train_command = app.add_subcommand("train", "Train as one rank of mpirun's job");
  config::add_config_options(*train_command, sources);
  train_command->footer("Example: mpirun -n 2 --bind-to none dyad-worker train --config job.toml");
  auto* eval_command = app.add_subcommand("eval", "Evaluate a checkpoint by beam search, users sharded over the ranks");
  add_eval_options(*eval_command, eval);
  eval_command->footer("Example: mpirun -n 2 --bind-to none dyad-worker eval run/checkpoints/best --split test");
  std::string device = "cpu";
  std::uint32_t ranks = 1;
  auto* check_command = app.add_subcommand("check", "Tell whether ranks could train on a device of this machine");
  check_command->add_option("--device", device, "as train.device")->check(CLI::IsMember({"cpu", "cuda"}));
  check_command->add_option("--ranks", ranks, "as train.workers");
  check_command->footer("Example: dyad-worker check --device cuda --ranks 2");
  auto* hello_command = app.add_subcommand("hello", "Count the ranks, as `dyad doctor` does");
  hello_command->footer("Example: mpirun -n 2 dyad-worker hello");
  return cli::run(app, argc, argv, [&] {
    if (hello_command->parsed()) return hello(argc, argv);
    if (!check_command->parsed()) return work(train_command->parsed(), sources, eval, argc, argv);
    set_log_role("worker", std::max(0, comm::launched_rank()));
    return finish(guarded([&] { return check_device(device, ranks); }));
  });
}

}  // namespace
}  // namespace dyad::worker

int main(int argc, char** argv) {
  dyad::end_with_a_code_when_memory_is_short();
  dyad::raise_descriptor_limit();
  const bool is_rank = dyad::comm::launched_rank() >= 0;
  dyad::leave_with_launcher(std::getenv(dyad::kLauncherVariable),
                            is_rank ? dyad::Watch::kLauncherAndParent : dyad::Watch::kLauncher);
  dyad::keep_freed_memory();          // a step allocates what the last one freed
  return dyad::worker::run(argc, argv);
}
