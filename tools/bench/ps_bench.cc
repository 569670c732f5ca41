// dyad-bench-ps: what pulling and pushing rows costs. Servers and workers run as threads of this process over loopback
// sockets, each with a ZeroMQ context of its own as in a job. In the same run it measures the ceilings: the same bytes
// through bare ZeroMQ, and their memcpy.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <thread>
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/control/address.h"
#include "ps/server.h"
#include "worker/rows/make_row_client.h"

namespace {

using namespace dyad;

struct Options {
  std::uint32_t servers = 2, workers = 2, threads = 1, dim = 128, rows = 17000, catalogue = 12000, steps = 60;
  std::string wire = "fp32", optimizer = "adam";
  net::Security security;
  std::filesystem::path folder;                                // of local sockets; empty: by the port
};

double cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Cost { double wall_s = 0, cpu_s = 0; };                // per worker and step
template <class Body> Cost measure(double worker_steps, double parallel, Body body) {
  const double wall = steady_now_s(), cpu = cpu_s();
  body();
  return {(steady_now_s() - wall) / worker_steps * parallel, (cpu_s() - cpu) / worker_steps};
}

// The keys of one step: runs of neighbours (children of a trie node) as batches have them; ascending.
std::vector<RowKey> keys_of(std::uint64_t step, std::uint64_t stream, std::size_t count, std::size_t catalogue) {
  KeyedRandom random(1, stream, step);
  std::vector<RowKey> keys;
  const double chance = static_cast<double>(count) / static_cast<double>(catalogue);
  for (std::uint64_t run = 0; run < catalogue; run += 32)
    if (random.uniform() < chance)
      for (std::uint64_t k = run; k < std::min<std::uint64_t>(run + 32, catalogue); ++k) keys.push_back(RowKey{k});
  return keys;
}

struct StepRows {                                              // a worker's buffers
  std::array<std::vector<RowKey>, kTables> keys;
  std::array<std::vector<float>, kTables> values;
  void draw(const Options& o, std::uint64_t step, std::uint32_t worker) {
    for (std::size_t t = 0; t < kTables; ++t) {
      const std::size_t share = t == 0 ? o.rows / 5 : o.rows * 2 / 5;
      keys[t] = keys_of(step, worker * kTables + t, share, o.catalogue);
      values[t].resize(keys[t].size() * o.dim);
    }
  }
};

void work(const Options& o, const wire::Routing& routing, const wire::Partition& partition, std::uint32_t rank,
          std::uint32_t first) {
  net::Context context;
  worker::RowClientOptions options{WorkerRank{rank}, Incarnation{1}, partition, {o.dim, o.dim, o.dim},
                                   o.wire == "fp16" ? wire::ValueType::kFp16 : wire::ValueType::kFp32};
  options.security = o.security;
  options.job_dir = o.folder;
  auto client = std::move(worker::make_row_client(context, options, routing)).value();
  StepRows rows;
  for (std::uint64_t step = first; step < first + o.steps; ++step) {
    rows.draw(o, step, rank);
    std::vector<worker::PullRequest> pulls;
    std::vector<worker::PushRequest> pushes;
    for (std::size_t t = 0; t < kTables; ++t) {
      pulls.push_back({static_cast<TableId>(t), rows.keys[t], rows.values[t]});
      pushes.push_back({static_cast<TableId>(t), rows.keys[t], rows.values[t]});
    }
    client->start_pull(Step{step - 1}, pulls).value();
    client->wait().value();
    client->push(pushes, {Step{step}, 1e-3f}).value();
  }
  client->flush().value();
}

void in_threads(std::uint32_t n, const std::function<void(std::uint32_t)>& body) {
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < n; ++i) threads.emplace_back(body, i);
  for (auto& t : threads) t.join();
}

Cost rows_cost(const Options& o) {
  const wire::Partition partition;
  wire::Routing routing{RoutingEpoch{1}, {}, {}, {}, {}};
  routing.key_end.fill(o.catalogue);
  std::vector<std::unique_ptr<net::Context>> contexts;
  std::vector<std::unique_ptr<ps::Server>> servers;
  for (std::uint32_t s = 0; s < o.servers; ++s) {
    contexts.push_back(std::make_unique<net::Context>());
    if (o.security.enabled()) contexts.back()->start_authentication({o.security.own.public_key}).value();
    ps::ServerOptions server;
    server.listen.security = o.security;
    server.listen.local = control::server_socket(o.folder, ServerId{s});
    server.id = ServerId{s};
    server.ranks = o.workers;
    server.partition = partition;
    server.shard = {{o.dim, o.dim, o.dim}, 1, 0.02f, {.name = o.optimizer}};
    server.threads = o.threads;
    server.checkpoint_folder = [](Step) { return std::filesystem::temp_directory_path(); };
    server.on_cut = [](Step, Result<std::vector<wire::FilePart>>) {};
    servers.push_back(std::move(ps::Server::bind(*contexts.back(), server)).value());
    routing.server_address.push_back(servers.back()->endpoint());
    routing.server_incarnation.push_back(1);
  }
  for (std::uint32_t g = 0; g < partition.groups; ++g) routing.group_server.push_back(g % o.servers);
  for (auto& server : servers) server->start({Incarnation{1}, routing, {}, {}}).value();
  in_threads(o.workers,
             [&](std::uint32_t r) { work(o, routing, partition, r, 1); });  // warm: rows are made, buffers grown
  const Cost cost = measure(static_cast<double>(o.steps) * o.workers, o.workers, [&] {
    in_threads(o.workers, [&](std::uint32_t r) { work(o, routing, partition, r, 1 + o.steps); });
  });
  servers.clear();
  return cost;
}

// The same messages without tables: the server answers a pull with one buffer and drops a push.
Cost bare_cost(const Options& o, std::size_t bytes) {
  std::vector<std::unique_ptr<net::Context>> contexts;
  std::vector<net::Listener> listeners;
  for (std::uint32_t s = 0; s < o.servers; ++s) {
    contexts.push_back(std::make_unique<net::Context>());
    listeners.push_back(net::Listener::bind(*contexts.back(), {}).value());
  }
  const auto block = std::make_shared<std::vector<std::byte>>(bytes / o.servers);
  const auto message = [&](bool bulk) {
    net::Message m;
    m.push_back(bulk ? net::Frame::keep(*block, block) : net::Frame(bulk ? 0 : 1));
    return m;
  };
  const auto serve = [&](std::uint32_t s) {
    for (std::uint32_t i = 0; i < 2 * o.steps * o.workers; ++i) {
      auto in = listeners[s].recv(-1).value();
      listeners[s].send(in->peer, message(in->message[0].size() == 1)).value();
    }
  };
  const auto ask = [&](std::uint32_t) {
    net::Context context;
    std::vector<net::Connection> links;
    for (auto& l : listeners) links.push_back(net::Connection::open(context, {.endpoint = l.endpoint()}).value());
    for (std::uint32_t i = 0; i < 2 * o.steps; ++i) {           // a pull, a push
      for (auto& link : links) link.send(message(i % 2 == 1)).value();
      for (auto& link : links) (void)link.recv(-1).value();
    }
  };
  return measure(static_cast<double>(o.steps) * o.workers, o.workers, [&] {
    in_threads(o.servers + o.workers, [&](std::uint32_t i) { i < o.servers ? serve(i) : ask(i); });
  });
}

Cost copy_cost(const Options& o, std::size_t bytes) {
  std::vector<char> a(bytes, 1), b(bytes, 2);
  return measure(o.steps, 1, [&] {
    for (std::uint32_t i = 0; i < o.steps; ++i) {
      std::memcpy(b.data(), a.data(), bytes);
      asm volatile("" : : "r"(b.data()) : "memory");
    }
  });
}

Cost draw_cost(const Options& o) {
  StepRows rows;
  return measure(o.steps, 1, [&] { for (std::uint32_t s = 0; s < o.steps; ++s) rows.draw(o, s, 0); });
}

void line(const char* what, const Cost& cost, double gigabytes) {
  fmt::print("{:<34} {:>9.2f} {:>11.2f} {:>9.2f}\n", what, 1e3 * cost.wall_s, 1e3 * cost.cpu_s,
             gigabytes / cost.wall_s);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"What pulling and pushing rows costs, beside the same bytes through bare ZeroMQ and memcpy"};
  app.add_option("--servers", o.servers);
  app.add_option("--workers", o.workers);
  app.add_option("--threads", o.threads, "owner threads a server");
  app.add_option("--rows", o.rows, "rows a worker pulls, and pushes, at a step");
  app.add_option("--dim", o.dim);
  app.add_option("--catalogue", o.catalogue, "rows of each table");
  app.add_option("--steps", o.steps);
  app.add_option("--wire", o.wire, "fp32 or fp16")->check(CLI::IsMember({"fp32", "fp16"}));
  app.add_option("--optimizer", o.optimizer);
  bool keyed = false, local = false;
  app.add_flag("--key", keyed, "with a job's key by the port, as between machines; bare ZeroMQ stays plain");
  app.add_flag("--local", local, "with a job's key and local sockets, as on one machine");
  CLI11_PARSE(app, argc, argv);
  if (local) o.folder = std::filesystem::temp_directory_path() / fmt::format("dyad-bench-{}", ::getpid());
  if (keyed || local) {
    const net::KeyPair pair = net::make_key_pair().value();
    o.security = {pair, pair.public_key};
  }
  const std::size_t bytes = std::size_t{o.rows} * o.dim * (o.wire == "fp16" ? 2 : 4);
  const double gigabytes = 2e-9 * static_cast<double>(bytes);
  const Cost copy = copy_cost(o, 2 * bytes), bare = bare_cost(o, bytes), draw = draw_cost(o);
  Cost rows = rows_cost(o);
  rows.cpu_s -= draw.cpu_s;                                    // making up keys is no part of it
  fmt::print("{} rows x {} floats ({}), pulled and pushed by {} workers, {} servers of {} threads, {} steps\n", o.rows,
             o.dim, o.wire, o.workers, o.servers, o.threads, o.steps);
  fmt::print("{:<34} {:>9} {:>11} {:>9}\n", "per worker and step", "wall ms", "CPU ms", "GB/s");
  line("memcpy of the bytes", copy, gigabytes);
  line("bare ZeroMQ, loopback", bare, gigabytes);
  line("pull + push, servers included", rows, gigabytes);
  fmt::print("rows/s (pulled and pushed, a worker) {:.0f}; CPU beside bare ZeroMQ {:.2f} times\n",
             2.0 * o.rows / rows.wall_s, rows.cpu_s / bare.cpu_s);
  if (local) std::filesystem::remove_all(o.folder);
  return 0;
}
