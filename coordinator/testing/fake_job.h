#pragma once
// For tests and for looking at the status page: a real dyad-coordinator process, and threads that speak to it as
// servers and workers do, over real sockets, with real files of cuts. They compute nothing.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>
#include "common/base/check.h"
#include "common/base/random.h"
#include "common/ckpt/manifest.h"
#include "common/ckpt/staging.h"
#include "common/config/config.h"
#include "common/config/eval_settings.h"
#include "common/control/address.h"
#include "common/control/client.h"
#include "common/control/heartbeat.h"
#include "common/data/dataset.h"
#include "common/data/dataset_writer.h"
#include "common/data/identity.h"
#include "common/data/samples.h"
#include "common/io/safetensors.h"
#include "common/io/safetensors_write.h"
#include "common/tables/tables_for_test.h"
#include "coordinator/core/work_plan.h"

namespace dyad::coordinator {

inline void nap_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// 30 users of 12 events over 9 items; codes of two levels, vectors of three floats.
inline void make_small_dataset(const std::filesystem::path& dir) {
  auto writer = data::DatasetWriter::create(dir, {}).value();
  for (std::uint32_t k = 0; k < 12; ++k)
    for (std::uint32_t u = 0; u < 30; ++u)
      CHECK(writer.append({UserId{u}, ItemId{(u + k) % 9}, 100 * k + u}).has_value());
  std::vector<data::Item> items(9);
  std::vector<std::string> users;
  for (std::size_t i = 0; i < items.size(); ++i) items[i].key = fmt::format("item{}", i);
  for (int u = 0; u < 30; ++u) users.push_back(fmt::format("user{}", u));
  CHECK(writer.finish(items, users).has_value());
  std::vector<std::int32_t> codes;
  for (std::int32_t i = 0; i < 9; ++i) codes.insert(codes.end(), {i / 3, i % 3});
  const std::vector<float> vectors(9 * 3, 0.5f);
  for (const char* stream : {"behaviour", "semantic"}) {
    const std::string file = std::string(stream) + ".safetensors";
    CHECK(io::write_safetensors(dir / "codes" / file, {{"codes", io::make_tensor<std::int32_t>({9, 2}, codes)}})
              .has_value());
    CHECK(io::write_safetensors(dir / "vectors" / file, {{"embedding", io::make_tensor<float>({9, 3}, vectors)}})
              .has_value());
  }
}

inline std::filesystem::path write_config(const std::filesystem::path& dir, const std::string& extra = "") {
  std::ofstream(dir / "job.toml")
      << "[job]\nname = \"fake\"\ndir = \"" << (dir / "run").string() << "\"\ndata = \"" << (dir / "data").string()
      << "\"\n[security]\ntrusted_network = true\n"
      << "[servers]\ncount = 2\nbuckets = 16\ngroups = 4\n[train]\nworkers = 2\nbatch = 16\n"
      << extra;
  return dir / "job.toml";
}

class CoordinatorProcess {
 public:
  CoordinatorProcess(std::string program, const std::filesystem::path& config, const std::string& flag = "") {
    pid_ = ::fork();
    if (pid_ == 0) {
      std::vector<const char*> argv{program.c_str(), "--config", config.c_str()};
      if (!flag.empty()) argv.push_back(flag.c_str());
      argv.push_back(nullptr);
      ::execv(program.c_str(), const_cast<char**>(argv.data()));
      ::_exit(127);
    }
  }
  ~CoordinatorProcess() {
    if (pid_ > 0) kill(SIGKILL);
  }
  CoordinatorProcess(const CoordinatorProcess&) = delete;
  CoordinatorProcess& operator=(const CoordinatorProcess&) = delete;
  // The exit code, or minus the signal.
  int kill(int signal) {
    ::kill(pid_, signal);
    return wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

struct FakeJobOptions {
  int step_ms = 1;
  int beat_ms = 100;
  bool evaluate = false;                           // reports a made-up validation result after each cut
  std::uint64_t stop_after_steps = 0;              // leave with "stopped" after a cut there, 0: all epochs
};

class FakeJob {                                    // one for each start of the processes of a job
 public:
  FakeJob(config::Config config, FakeJobOptions options)
      : config_(std::move(config)), options_(options), dataset_(data::Dataset::open(config_.job.data).value()) {
    for (std::uint32_t i = 0; i < config_.servers.count; ++i) threads_.emplace_back([this, i] { server(i); });
    for (std::uint32_t i = 0; i < config_.train.workers; ++i) threads_.emplace_back([this, i] { worker(i); });
  }
  ~FakeJob() { join(); }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  std::uint64_t steps() const { return steps_; }   // of rank 0

 private:
  control::ClientOptions client_options(wire::Role role, std::uint32_t id) const {
    control::ClientOptions options{
        .role = role, .id = id, .address = config_.coordinator.address, .job_dir = config_.job.dir};
    options.attempt_ms = 300;
    return options;
  }

  void server(std::uint32_t id) {
    auto options = client_options(wire::Role::kServer, id);
    auto client = control::ControlClient::connect(options).value();
    auto registered = client
                          ->register_({fmt::format("tcp://127.0.0.1:{}", 4000 + id), config::result_digest(config_), 1,
                                       "node" + std::to_string(id)})
                          .value();
    options.incarnation = registered.incarnation;
    options.run = registered.run;
    auto heart = control::HeartbeatThread::start(options, options_.beat_ms).value();
    heart->set_state("ready");
    const auto routing = client->wait_routing(20000).value();
    for (Step done = registered.resume; heart->command() == wire::Command::kNone; nap_ms(2)) {
      const Step step = wanted_after(done);
      if (step == done) continue;
      wire::CutPart part{.step = step};
      for (std::uint32_t g = 0; g < config_.servers.groups; ++g)
        if (routing.group_server[g] == id)
          part.files.push_back(write_file(step, registered, fmt::format("rows/g{:04}.rows", g)));
      heart->set_step(step);
      CHECK(client->cut_part(part, 30000).value().committed);
      done = step;
    }
    (void)client->goodbye("done", 30000);
  }

  void worker(std::uint32_t rank) {
    auto options = client_options(wire::Role::kWorker, rank);
    auto client = control::ControlClient::connect(options).value();
    const auto identity = data::identify(dataset_, config_.model.gct).value();
    auto registered = client
                          ->register_({"", config::result_digest(config_), 1, "node" + std::to_string(rank),
                                       identity.parts(), tables_for_test()})
                          .value();
    options.incarnation = registered.incarnation;
    options.run = registered.run;
    auto heart = control::HeartbeatThread::start(options, options_.beat_ms).value();
    CHECK(client->wait_routing(20000).has_value());
    heart->set_state("training");
    SamplePlan plan(
        data::samples(dataset_, data::Split::kTrain),
        {.seed = config_.job.seed, .global_batch = config_.train.batch, .history_max = config_.model.history},
        config_.train.workers);
    std::uint64_t step = 0, epoch = 0;
    while (step + plan.batches(epoch) <= registered.resume.value) step += plan.batches(epoch++);
    std::uint64_t batch = registered.resume.value - step;
    step = registered.resume.value;
    for (bool stopped = false; epoch < config_.train.epochs && !stopped;
         epoch += stopped ? 0 : 1, batch = stopped ? batch : 0) {
      while (!stopped) {
        const auto lease = client->acquire_lease(epoch, batch).value();
        if (lease.first_batch == lease.end_batch) break;
        for (; batch < lease.end_batch && !stopped; stopped = step == options_.stop_after_steps) {
          nap_ms(options_.step_ms);
          ++batch, ++step;
          heart->set_step(Step{step});
          heart->set_metrics(
              {{"loss", 8.5 * std::exp(-static_cast<double>(step) / 120) + 3.2 + 0.08 * KeyedRandom(step).normal()},
               {"samples_per_s", 1180 + 40 * KeyedRandom(step, 1).normal()},
               {"pull_seconds", 0.004}});
          if (rank == 0) steps_ = step;
        }
        const Sum sum = plan.part(epoch, lease.first_batch, batch, WorkerRank{rank});
        CHECK(client->complete_lease({lease.id, batch, sum.count, sum.checksum}).has_value());
      }
      if (rank == 0) cut(*client, registered, {Step{step}, epoch, batch});
    }
    heart->set_state("done");
    CHECK(client->goodbye(step == options_.stop_after_steps ? "stopped" : "done", 30000).has_value());
  }

  struct Cursor { Step step; std::uint64_t epoch = 0, batch = 0; };
  void cut(control::ControlClient& client, const wire::Registered& registered, const Cursor& at) {
    const Step step = at.step;
    {
      std::lock_guard lock(mutex_);
      cuts_.insert(step);
    }
    wire::CutPart part{step, {write_file(step, registered, "dense.safetensors")},
                       {{"epoch", std::to_string(at.epoch)},
                        {"next_batch", std::to_string(at.batch)},
                        {"loss", "3.2"}}};
    CHECK(client.cut_part(part, 30000).value().committed);
    if (!options_.evaluate) return;
    const double recall =
        0.071 * (1 - std::exp(-static_cast<double>(step.value) / 150)) + 0.002 * KeyedRandom(step.value, 2).normal();
    CHECK(client
              .report_eval({fmt::format("step-{:010}", step.value),
                            "validation",
                            {{"fusion/recall@10", recall}, {"fusion/ndcg@10", recall * 0.55}},
                            ckpt::read_manifest(ckpt::checkpoints_dir(config_.job.dir) / ckpt::folder_name(step))
                                .value()
                                .digest,
                            config::eval_settings(config_, "validation").words()})
              .has_value());
  }

  Step wanted_after(Step done) {
    std::lock_guard lock(mutex_);
    const auto it = cuts_.upper_bound(done);
    return it == cuts_.end() ? done : *it;
  }

  wire::FilePart write_file(Step step, const wire::Registered& me, const std::string& name) const {
    const auto dir =
        ckpt::staging_folder(ckpt::checkpoints_dir(config_.job.dir), step, ckpt::Fence{me.run, me.generation});
    const auto facts = io::write_file_atomic(dir / name, fmt::format("{} at {}\n", name, step)).value();
    return {name, facts.bytes, facts.digest};
  }

  config::Config config_;
  FakeJobOptions options_;
  data::Dataset dataset_;
  std::mutex mutex_;
  std::set<Step> cuts_;
  std::atomic<std::uint64_t> steps_{0};
  std::vector<std::thread> threads_;
};

}  // namespace dyad::coordinator
