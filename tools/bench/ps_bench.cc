// dyad-bench-ps: what pulling and pushing rows costs, of rows that exist (warm) and of rows that are new (cold).
// Servers and workers run as threads of this process over loopback sockets. In the same run, by turns, so that all see
// the same machine: messages of the same sizes through bare ZeroMQ, and the same batches through Redis where installed.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "tools/bench/bare_store.h"
#include "tools/bench/batches.h"
#include "tools/bench/dyad_store.h"
#include "tools/bench/redis_store.h"

namespace {

using namespace dyad;
using namespace dyad::bench;

struct Options {
  StoreOptions store;
  BatchOptions batches;
  std::uint32_t steps = 100, cold_steps = 20, rounds = 5;
  std::string keys = "uniform", redis = "redis-server";
  bool keyed = false, local = false, json = false;
};

double cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

using Workers = std::vector<std::unique_ptr<Client>>;
using Batches = std::vector<std::vector<Batch>>;               // [workers][steps]
using Request = std::function<void(Client&, const Batch&)>;

const Request kPull = [](Client& client, const Batch& batch) { client.pull(batch); };
const Request kPush = [](Client& client, const Batch& batch) { client.push(batch); };

// One kind of request to one store, in as many turns as there are.
class Figure {
 public:
  explicit Figure(std::string name) : name_(std::move(name)) {}

  // All workers at once, each its batches [begin, end), one request after the other.
  void time(const Workers& workers, const Batches& batches, std::size_t begin, std::size_t end,
            const Request& request) {
    const double wall = steady_now_s(), cpu = cpu_s();
    std::vector<std::vector<double>> taken(workers.size());
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < workers.size(); ++w)
      threads.emplace_back([&, w] {
        for (std::size_t i = begin; i < end; ++i) {
          const double start = steady_now_s();
          request(*workers[w], batches[w][i]);
          taken[w].push_back(steady_now_s() - start);
        }
      });
    for (auto& thread : threads) thread.join();
    wall_s_ += steady_now_s() - wall;
    cpu_s_ += cpu_s() - cpu;
    for (std::size_t w = 0; w < workers.size(); ++w) {
      latency_s_.insert(latency_s_.end(), taken[w].begin(), taken[w].end());
      for (std::size_t i = begin; i < end; ++i) rows_ += static_cast<double>(batches[w][i].rows());
    }
  }

  double latency_s(double share) const {
    std::vector<double> sorted = latency_s_;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  }
  const std::string& name() const { return name_; }
  double rows_per_s() const { return rows_ / wall_s_; }
  double cpu_ns_per_row() const { return 1e9 * cpu_s_ / rows_; }
  bool measured() const { return rows_ > 0; }

 private:
  std::string name_;
  double wall_s_ = 0, cpu_s_ = 0, rows_ = 0;
  std::vector<double> latency_s_;
};

struct Pair { Figure pull, push; };                            // of one store, in one state
Pair pair_of(const std::string& name) { return {Figure(name + " pull"), Figure(name + " push")}; }

struct Figures {
  Pair bare = pair_of("bare ZeroMQ"), warm = pair_of("warm"), cold = pair_of("cold"), redis = pair_of("Redis");
  std::string no_redis;                                        // why there are no figures of it
};

template <class Make> Workers workers_of(const Options& o, Make make) {
  Workers workers;
  for (std::uint32_t w = 0; w < o.store.workers; ++w) workers.push_back(make(w));
  return workers;
}

template <class Make> Batches batches_of(const Options& o, Make make) {
  Batches batches;
  for (std::uint32_t w = 0; w < o.store.workers; ++w) batches.push_back(make(w));
  return batches;
}

void time_both(Pair& pair, const Workers& workers, const Batches& batches, std::size_t begin, std::size_t end) {
  pair.pull.time(workers, batches, begin, end, kPull);
  pair.push.time(workers, batches, begin, end, kPush);
}

Figures measure(Options o, const Transport& transport, const std::filesystem::path& folder) {
  o.store.key_end = keys_end(o.batches, o.store.workers, o.cold_steps);
  const Batches all = batches_of(o, [&](std::uint32_t) { return whole_catalogue(o.batches); });
  const Batches known = batches_of(o, [&](std::uint32_t w) { return known_keys(o.batches, w, o.steps); });
  const Batches fresh =
      batches_of(o, [&](std::uint32_t w) { return new_keys(o.batches, w, o.store.workers, o.cold_steps); });
  Figures figures;
  Figure unused("");
  const DyadStore dyad(o.store, transport);
  const BareStore bare(o.store);
  const Workers ours = workers_of(o, [&](std::uint32_t w) { return dyad.client(w); });
  const Workers theirs = workers_of(o, [&](std::uint32_t) { return bare.client(); });
  Workers redis_workers;
  const auto redis = RedisStore::start(o.redis, folder, o.store);
  if (redis) redis_workers = workers_of(o, [&](std::uint32_t) { return redis.value()->client(); });
  else figures.no_redis = redis.error().message;
  for (const Workers* store : std::array<const Workers*, 2>{&ours, &redis_workers}) {   // what is warm; buffers grow
    if (store->empty()) continue;
    unused.time(*store, all, 0, all[0].size(), kPush);
    unused.time(*store, all, 0, all[0].size(), kPull);
  }
  unused.time(theirs, known, 0, std::min(o.steps, 3u), kPush);
  for (std::uint32_t round = 0; round < o.rounds; ++round) {
    const auto turn = [&](std::uint32_t steps, std::uint32_t r) { return std::size_t{steps} * r / o.rounds; };
    const std::size_t begin = turn(o.steps, round), end = turn(o.steps, round + 1);
    time_both(figures.bare, theirs, known, begin, end);
    time_both(figures.warm, ours, known, begin, end);
    time_both(figures.cold, ours, fresh, turn(o.cold_steps, round), turn(o.cold_steps, round + 1));
    if (!redis_workers.empty()) time_both(figures.redis, redis_workers, known, begin, end);
  }
  return figures;
}

// Beside bare ZeroMQ by the median: a neighbour of the machine spoils a few requests, and those of one store only.
double of_bare(const Figures& f, const Figure& figure, bool pull) {
  return (pull ? f.bare.pull : f.bare.push).latency_s(0.5) / figure.latency_s(0.5);
}

nlohmann::json json_of(const Options& o, const Figures& f) {
  nlohmann::json out{{"servers", o.store.servers}, {"workers", o.store.workers}, {"threads", o.store.threads},
                     {"rows", o.batches.rows},     {"dim", o.store.dim},         {"wire", o.store.wire},
                     {"optimizer", o.store.optimizer}, {"keys", o.keys},         {"steps", o.steps},
                     {"cold_steps", o.cold_steps}, {"catalogue", o.batches.catalogue}};
  for (const Pair* pair : {&f.bare, &f.warm, &f.cold, &f.redis})
    for (const bool pull : {true, false}) {
      const Figure& figure = pull ? pair->pull : pair->push;
      if (!figure.measured()) continue;
      out["figures"][figure.name()] = {{"rows_per_s", figure.rows_per_s()},
                                       {"p50_ms", 1e3 * figure.latency_s(0.5)},
                                       {"p99_ms", 1e3 * figure.latency_s(0.99)},
                                       {"cpu_ns_per_row", figure.cpu_ns_per_row()},
                                       {"of_bare_zeromq", of_bare(f, figure, pull)}};
    }
  if (!f.no_redis.empty()) out["redis_not_measured"] = f.no_redis;
  return out;
}

void print(const Options& o, const Figures& f) {
  fmt::print("{} rows x {} floats ({}), {} keys, {}; {} workers, {} servers of {} threads; {} steps, cold {}\n",
             o.batches.rows, o.store.dim, o.store.wire, o.keys, o.store.optimizer, o.store.workers, o.store.servers,
             o.store.threads, o.steps, o.cold_steps);
  fmt::print("{:<18} {:>12} {:>9} {:>9} {:>11} {:>13}\n", "", "rows/s", "p50 ms", "p99 ms", "CPU ns/row", "% of bare");
  for (const Pair* pair : {&f.bare, &f.warm, &f.cold, &f.redis})
    for (const bool pull : {true, false}) {
      const Figure& figure = pull ? pair->pull : pair->push;
      if (!figure.measured()) continue;
      fmt::print("{:<18} {:>12.0f} {:>9.2f} {:>9.2f} {:>11.0f} {:>13.0f}\n", figure.name(), figure.rows_per_s(),
                 1e3 * figure.latency_s(0.5), 1e3 * figure.latency_s(0.99), figure.cpu_ns_per_row(),
                 100 * of_bare(f, figure, pull));
    }
  if (!f.no_redis.empty()) fmt::print("Redis is not measured: {}\n", f.no_redis);
  else fmt::print("CPU of Redis is its clients' alone; it stores values and applies no gradient\n");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"What pulling and pushing rows costs, beside bare ZeroMQ and Redis\n"
               "  dyad-bench-ps --dim 64 --keys zipf"};
  app.add_option("--servers", o.store.servers);
  app.add_option("--workers", o.store.workers);
  app.add_option("--threads", o.store.threads, "owner threads a server");
  app.add_option("--rows", o.batches.rows, "rows a worker pulls, or pushes, at a step");
  app.add_option("--dim", o.store.dim);
  app.add_option("--catalogue", o.batches.catalogue, "rows of each table that exist");
  app.add_option("--steps", o.steps, "of rows that exist");
  app.add_option("--cold-steps", o.cold_steps, "of rows that are new");
  app.add_option("--rounds", o.rounds, "in how many turns the stores are timed")->check(CLI::PositiveNumber);
  app.add_option("--keys", o.keys, "how keys that exist are drawn")->check(CLI::IsMember({"uniform", "zipf"}));
  app.add_option("--wire", o.store.wire)->check(CLI::IsMember({"fp32", "fp16"}));
  app.add_option("--optimizer", o.store.optimizer);
  app.add_option("--redis", o.redis, "the program to compare with");
  app.add_flag("--key", o.keyed, "with a job's key by the port, as between machines; bare ZeroMQ stays plain");
  app.add_flag("--local", o.local, "with a job's key and local sockets, as on one machine");
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  if (o.keys == "zipf") o.batches.zipf = 1;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("dyad-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  Transport transport;
  if (o.keyed || o.local) {
    const net::KeyPair pair = net::make_key_pair().value();
    transport.security = {pair, pair.public_key};
  }
  if (o.local) transport.folder = folder;
  const Figures figures = measure(o, transport, folder);
  if (o.json) fmt::print("{}\n", json_of(o, figures).dump(2));
  else print(o, figures);
  std::filesystem::remove_all(folder);
  return 0;
}
