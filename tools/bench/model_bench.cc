// dyad-bench-model: samples/s of forward + backward + optimiser on made-up batches of the shape of Amazon Beauty, with
// a break-down by phase, and users/s of beam search; each with the project's kernels and, in the same run, with plain
// LibTorch operations (same mathematics, same model code), and the ratio of the two. One process, --threads compute
// threads, no parameter servers.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include "common/base/clock.h"
#include "common/base/keep_memory.h"
#include "worker/batch/synthetic.h"
#include "worker/decode/beam_search.h"
#include "worker/model/dense_optimizer.h"
#include "worker/model/eager.h"

namespace dyad::worker {
namespace {

struct BenchOptions {
  std::size_t items = 12101, k = 256, batch = 256;
  int threads = 1;
  double seconds = 10;
  std::string precision = "bf16";
  bool alone = false;                        // the kernels only: for a profiler
  std::size_t beams = 100, users = 64;       // users decoded together
  config::Model model;
};

// A span in seconds of the clock and of the processor: the second is what counts on a busy machine.
struct Stopwatch {
  double wall = steady_now_s(), cpu = cpu_now_s();
  static double cpu_now_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
  double wall_s() const { return steady_now_s() - wall; }
  double cpu_s() const { return cpu_now_s() - cpu; }
};

class Phases {
 public:
  template <class F> auto time(const char* name, F f) {
    const Stopwatch watch;
    auto result = f();
    seconds_[name] += watch.cpu_s();
    return result;
  }
  void print(std::size_t steps) const {
    for (const auto& [name, s] : seconds_)
      std::printf("  %-10s %7.2f ms of processor time a step\n", name.c_str(), s * 1e3 / static_cast<double>(steps));
  }
  void clear() { seconds_.clear(); }

 private:
  std::map<std::string, double> seconds_;
};

at::Tensor random_rows(std::size_t n, std::size_t dim, std::uint64_t seed) {
  torch::manual_seed(seed);
  return at::randn({static_cast<std::int64_t>(n), static_cast<std::int64_t>(dim)}).mul_(0.02);
}

template <class Number> at::Tensor pulled(const std::vector<Number>& numbers, const at::Tensor& table) {
  at::Tensor index = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kLong);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    index.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(numbers[i].value);
  return table.index_select(0, index).requires_grad_(true);
}

struct Made {                                // a model with random weights and rows
  Made(const BenchOptions& o, const SyntheticTask& task, bool kernels) {
    ModelOptions options{.model = o.model, .levels = 2, .vector_width = {96, 96}};
    options.type = o.precision == "bf16" ? at::kBFloat16 : at::kFloat;
    options.kernels = kernels;
    std::array<at::Tensor, 2> targets;
    rows.item = random_rows(o.items, o.model.dim, 30);
    for (std::uint64_t s = 0; s < 2; ++s) {
      targets[s] = contrast_targets(random_rows(o.items, 96, 10 + s));
      rows.code[s] = random_rows(task.trie(static_cast<int>(s)).nodes(), o.model.dim, 20 + s);
    }
    model = std::make_unique<Eager>(options, targets);
  }
  RowTables rows;
  std::unique_ptr<Eager> model;
};

const char* name_of(bool kernels) { return kernels ? "kernels" : "LibTorch operations"; }

// -> samples per second of processor time
double bench_training(const BenchOptions& o, SyntheticTask& task, bool kernels) {
  Made made(o, task, kernels);
  Eager& model = *made.model;
  DenseOptimizer optimizer(model.parameters(), 1e-6, 5.0);
  Phases phases;
  std::size_t steps = 0;
  Stopwatch watch;
  for (std::size_t step = 1; watch.wall_s() < o.seconds || steps < 3; ++step, ++steps) {
    if (step == 4) {  // warm
      phases.clear();
      steps = 0;
      watch = {};
    }
    const Batch batch = phases.time("batch", [&] { return task.batch(step * o.batch, o.batch); });
    const RowTensors rows = phases.time("pull", [&] {
      return RowTensors{
          pulled(batch.item_keys, made.rows.item),
          {pulled(batch.stream[0].nodes, made.rows.code[0]), pulled(batch.stream[1].nodes, made.rows.code[1])}};
    });
    const Losses losses = phases.time("forward", [&] { return model.forward(batch, rows, step); });
    phases.time("backward", [&] { losses.total.backward(); return 0; });
    phases.time("optimizer", [&] {
      optimizer.update(1e-3, step, optimizer.norm(step).value());
      for (const auto& p : model.parameters()) p.value.grad().zero_();
      return 0;
    });
  }
  const auto samples = static_cast<double>(steps * o.batch);
  std::printf("training %.0f samples/s, %.0f per second of processor (B=%zu, %d threads, %s, %s)\n",
              samples / watch.wall_s(), samples / watch.cpu_s(), o.batch, o.threads, o.precision.c_str(),
              name_of(kernels));
  phases.print(steps);
  return samples / watch.cpu_s();
}

// -> users per second of processor time
double bench_decoding(const BenchOptions& o, const SyntheticTask& task, bool kernels) {
  Made made(o, task, kernels);
  const BeamSearch search(*made.model, made.rows, task.tries(), {.beams = o.beams, .top = 20});
  std::size_t users = 0;
  const Stopwatch watch;
  while (watch.wall_s() < o.seconds) {
    std::vector<std::vector<ItemId>> histories;
    for (std::size_t u = 0; u < o.users; ++u) histories.push_back(task.history(users + u));
    search.run(histories);
    users += o.users;
  }
  const double done = static_cast<double>(users);
  std::printf("beam search %.0f users/s, %.0f per second of processor (%zu beams a stream, %zu users together, %s)\n",
              done / watch.wall_s(), done / watch.cpu_s(), o.beams, o.users, name_of(kernels));
  return done / watch.cpu_s();
}

// The kernels, then their rival in the same run.
template <class Bench> void compare(const BenchOptions& o, const char* what, Bench bench) {
  const double ours = bench(true);
  if (o.alone) return;
  const double torch = bench(false);
  std::printf("%s: the kernels do %.2f times what LibTorch operations do per second of processor\n\n", what,
              ours / torch);
}

}  // namespace
}  // namespace dyad::worker

int main(int argc, char** argv) {
  using namespace dyad::worker;
  BenchOptions o;
  o.model.decoder_layers = 2;
  CLI::App app{"Times the model on made-up batches of the shape of Amazon Beauty"};
  app.footer("Example: dyad-bench-model --seconds 5 --precision bf16");
  app.option_defaults()->always_capture_default();
  app.add_option("--items", o.items, "of the catalogue");
  app.add_option("--k", o.k, "codes of the first level");
  app.add_option("--batch", o.batch, "samples a step");
  app.add_option("--threads", o.threads, "of the matrix products");
  app.add_option("--seconds", o.seconds, "of each measurement");
  app.add_option("--precision", o.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--layers", o.model.decoder_layers, "of each decoder");
  app.add_flag("--alone", o.alone, "the kernels only, without their rival: for a profiler");
  app.add_option("--beams", o.beams, "in each stream");
  app.add_option("--users", o.users, "decoded together");
  CLI11_PARSE(app, argc, argv);
  dyad::keep_freed_memory();
  at::set_num_threads(o.threads);
  SyntheticTask task({.items = o.items, .branch = {o.k}});
  compare(o, "training", [&](bool kernels) { return bench_training(o, task, kernels); });
  compare(o, "beam search", [&](bool kernels) { return bench_decoding(o, task, kernels); });
  return 0;
}
