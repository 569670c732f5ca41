// dyad-bench-table: a table that fills with new rows, and what reading it costs then. One thread, no network: rows/s,
// the longest of the small applies (what a step waits for when the table grows), resident bytes of a row beyond its
// floats, and gathers of random rows.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <malloc.h>
#include <vector>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "common/base/random.h"
#include "ps/row_table.h"

namespace {

using namespace dyad;

struct Options {
  std::vector<std::uint64_t> rows{100000, 1000000, 10000000};
  std::uint32_t dim = 16, batch = 256, gathered = 16384;
  std::string optimizer = "rowwise_adagrad";
  bool json = false;
};

struct Figures {
  double fill_s = 0, longest_wall_ms = 0, longest_cpu_ms = 0, p999_cpu_ms = 0, bytes_per_row = 0, gathered_per_s = 0;
  std::size_t above_1_ms = 0;                    // applies, by processor time
  double idle_ms = 0;                            // the longest that an empty loop was away: the machine's own
};

double thread_cpu_s() {                          // a neighbour on this processor is no pause of ours
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double idle_gap_ms(double seconds) {
  double last = thread_cpu_s(), longest = 0;
  for (const double end = last + seconds; last < end;) {
    const double now = thread_cpu_s();
    longest = std::max(longest, now - last);
    last = now;
  }
  return 1e3 * longest;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Batches of new keys in ascending order, each spread over all of them.
void fill(const Options& o, std::uint64_t rows, ps::RowTable& table, Figures& figures) {
  const std::uint64_t batches = rows / o.batch;
  const std::vector<float> gradients(std::size_t{o.batch} * o.dim, 1e-3f);
  std::vector<RowKey> keys(o.batch);
  std::vector<float> cpu_ms;
  cpu_ms.reserve(batches);
  ::malloc_trim(0);                              // what the table before has left is none of this one's
  const double before = resident_bytes(), start = steady_now_s();
  for (std::uint64_t b = 0; b < batches; ++b) {
    for (std::uint64_t i = 0; i < o.batch; ++i) keys[i] = RowKey{i * batches + b};
    const ps::GradientRows push{keys, std::as_bytes(std::span(gradients)), wire::ValueType::kFp32, {}};
    const double wall = steady_now_s(), cpu = thread_cpu_s();
    table.apply(0.1f, {&push, 1});
    cpu_ms.push_back(static_cast<float>(1e3 * (thread_cpu_s() - cpu)));
    figures.longest_wall_ms = std::max(figures.longest_wall_ms, 1e3 * (steady_now_s() - wall));
  }
  figures.fill_s = steady_now_s() - start;
  const double bench = static_cast<double>(cpu_ms.size() * sizeof(float));
  figures.bytes_per_row = (resident_bytes() - before - bench) / static_cast<double>(table.rows());
  std::sort(cpu_ms.begin(), cpu_ms.end());
  figures.longest_cpu_ms = cpu_ms.back();
  figures.p999_cpu_ms = cpu_ms[cpu_ms.size() * 999 / 1000];
  figures.above_1_ms = static_cast<std::size_t>(cpu_ms.end() - std::upper_bound(cpu_ms.begin(), cpu_ms.end(), 1.0f));
  figures.idle_ms = idle_gap_ms(std::min(figures.fill_s, 5.0));
}

double gathered_per_s(const Options& o, std::uint64_t rows, const ps::RowTable& table) {
  KeyedRandom random(1);
  std::vector<float> out(std::size_t{o.gathered} * o.dim);
  std::vector<RowKey> keys(o.gathered);
  double taken = 0, count = 0;
  for (int round = 0; round < 40; ++round) {
    for (RowKey& key : keys) key = RowKey{random.below(rows / o.batch * o.batch)};
    const double start = thread_cpu_s();
    table.gather(keys, {}, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(out.data()));
    taken += thread_cpu_s() - start;
    count += static_cast<double>(keys.size());
  }
  return count / taken;
}

Figures measure(const Options& o, std::uint64_t rows, std::size_t& stride) {
  const auto optimizer = std::move(ps::make_optimizer({.name = o.optimizer})).value();
  stride = o.dim + optimizer->slots(o.dim);
  ps::RowTable table({TableId{0}, o.dim, 1, 0.02f}, *optimizer);
  Figures figures;
  fill(o, rows, table, figures);
  figures.gathered_per_s = gathered_per_s(o, rows, table);
  return figures;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"What a table of rows costs while it fills, and to read\n"
               "  dyad-bench-table --rows 1000000,10000000 --dim 64"};
  app.add_option("--rows", o.rows, "tables to fill, one after the other")->delimiter(',');
  app.add_option("--dim", o.dim);
  app.add_option("--batch", o.batch, "new rows of one apply");
  app.add_option("--gathered", o.gathered, "rows of one gather");
  app.add_option("--optimizer", o.optimizer);
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  nlohmann::json all = nlohmann::json::array();
  if (!o.json)
    fmt::print("rows of {} floats, {}, {} new ones an apply; ms of processor time but for wall\n"
               "{:>11} {:>11} {:>9} {:>9} {:>9} {:>8} {:>9} {:>13} {:>15}\n", o.dim, o.optimizer, o.batch, "rows",
               "new rows/s", "wall ms", "longest", "above 1", "p99.9", "idle loop", "bytes beyond", "gathered rows/s");
  for (const std::uint64_t rows : o.rows) {
    std::size_t stride = 0;
    const Figures f = measure(o, rows, stride);
    const double beyond = f.bytes_per_row - 4 * static_cast<double>(stride);
    const double per_s = static_cast<double>(rows) / f.fill_s;
    all.push_back({{"rows", rows}, {"dim", o.dim}, {"optimizer", o.optimizer}, {"batch", o.batch},
                   {"new_rows_per_s", per_s}, {"longest_apply_ms", f.longest_wall_ms},
                   {"longest_apply_cpu_ms", f.longest_cpu_ms}, {"applies_above_1_cpu_ms", f.above_1_ms},
                   {"p999_apply_cpu_ms", f.p999_cpu_ms}, {"idle_loop_longest_cpu_ms", f.idle_ms},
                   {"bytes_beyond_floats", beyond}, {"gathered_rows_per_s", f.gathered_per_s}});
    if (o.json) continue;
    fmt::print("{:>11} {:>11.0f} {:>9.2f} {:>9.3f} {:>9} {:>8.3f} {:>9.3f} {:>13.1f} {:>15.0f}\n", rows, per_s,
               f.longest_wall_ms, f.longest_cpu_ms, f.above_1_ms, f.p999_cpu_ms, f.idle_ms, beyond, f.gathered_per_s);
    std::fflush(stdout);
  }
  if (o.json) fmt::print("{}\n", all.dump(2));
  return 0;
}
