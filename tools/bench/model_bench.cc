// dyad-bench-model: samples/s of forward + backward + optimiser on made-up batches of the shape of Amazon Beauty, with
// a break-down by phase, and users/s of beam search. One process, --threads compute threads, no parameter servers.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include "common/base/clock.h"
#include "worker/batch/synthetic.h"
#include "worker/model/dense_optimizer.h"
#include "worker/model/eager.h"

namespace dyad::worker {
namespace {

struct BenchOptions {
  std::size_t items = 12101, k = 256, batch = 256;
  int threads = 1;
  double seconds = 10;
  std::string precision = "bf16";
  bool torch_ops = false;
  config::Model model;
};

class Phases {
 public:
  template <class F> auto time(const char* name, F f) {
    const double start = steady_now_s();
    auto result = f();
    seconds_[name] += steady_now_s() - start;
    return result;
  }
  void print(std::size_t steps) const {
    for (const auto& [name, s] : seconds_)
      std::printf("  %-10s %7.2f ms a step\n", name.c_str(), s * 1e3 / static_cast<double>(steps));
  }
  void clear() { seconds_.clear(); }

 private:
  std::map<std::string, double> seconds_;
};

at::Tensor random_rows(std::size_t n, std::size_t dim, std::uint64_t seed) {
  torch::manual_seed(seed);
  return at::randn({static_cast<std::int64_t>(n), static_cast<std::int64_t>(dim)}).mul_(0.02);
}

at::Tensor pulled(const std::vector<RowKey>& keys, const at::Tensor& table) {
  at::Tensor index = at::empty({static_cast<std::int64_t>(keys.size())}, at::kLong);
  for (std::size_t i = 0; i < keys.size(); ++i)
    index.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(keys[i].value);
  return table.index_select(0, index).requires_grad_(true);
}

void bench_training(const BenchOptions& o, SyntheticTask& task) {
  ModelOptions options{.model = o.model, .levels = 2, .vector_width = {96, 96}, .seed = 1,
                       .type = o.precision == "bf16" ? at::kBFloat16 : at::kFloat, .kernels = !o.torch_ops};
  std::array<at::Tensor, 2> targets, tables;
  for (int s = 0; s < 2; ++s) {
    targets[s] = contrast_targets(random_rows(o.items, 96, 10 + s));
    tables[s] = random_rows(task.trie(s).nodes(), o.model.dim, 20 + s);
  }
  const at::Tensor items = random_rows(o.items, o.model.dim, 30);
  Eager model(options, targets);
  DenseOptimizer optimizer(model.parameters(), 1e-6, 5.0);
  Phases phases;
  std::size_t steps = 0;
  double start = steady_now_s();
  for (std::size_t step = 1; steady_now_s() - start < o.seconds || steps < 3; ++step, ++steps) {
    if (step == 4) { phases.clear(); steps = 0; start = steady_now_s(); }              // warm
    const Batch batch = phases.time("batch", [&] { return task.batch(step * o.batch, o.batch); });
    const RowTensors rows = phases.time("pull", [&] {
      return RowTensors{pulled(batch.item_keys, items),
                        {pulled(batch.stream[0].keys, tables[0]), pulled(batch.stream[1].keys, tables[1])}};
    });
    const Losses losses = phases.time("forward", [&] { return model.forward(batch, rows, step); });
    phases.time("backward", [&] { losses.total.backward(); return 0; });
    phases.time("optimizer", [&] { return optimizer.step(1e-3, step); });
  }
  const double elapsed = steady_now_s() - start;
  std::printf("training %.0f samples/s (B=%zu, %d threads, %s, %s)\n", static_cast<double>(steps * o.batch) / elapsed,
              o.batch, o.threads, o.precision.c_str(), o.torch_ops ? "torch operations" : "kernels");
  phases.print(steps);
}

}  // namespace
}  // namespace dyad::worker

int main(int argc, char** argv) {
  using namespace dyad::worker;
  BenchOptions o;
  o.model.decoder_layers = 2;
  CLI::App app{"Times the model on made-up batches of the shape of Amazon Beauty"};
  app.add_option("--items", o.items);
  app.add_option("--k", o.k, "codes of the first level");
  app.add_option("--batch", o.batch);
  app.add_option("--threads", o.threads);
  app.add_option("--seconds", o.seconds);
  app.add_option("--precision", o.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--layers", o.model.decoder_layers);
  app.add_flag("--torch-ops", o.torch_ops, "plain LibTorch operations in place of the kernels");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(o.threads);
  SyntheticTask task({.items = o.items, .branch = {o.k}});
  bench_training(o, task);
  return 0;
}
