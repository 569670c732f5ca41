#include "tests/rows/cluster.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unistd.h>
#include "common/base/check.h"
#include "common/base/initial_row.h"
#include "common/base/random.h"

namespace dyad::tests {

namespace fs = std::filesystem;

Cluster::Cluster(const ClusterOptions& options) : options_(options) {
  static std::atomic<int> number{0};
  dir_ = fs::temp_directory_path() / fmt::format("dyad-cluster-{}-{}", ::getpid(), number++);
  for (std::uint32_t s = 0; s < options.servers; ++s) servers_.push_back(bind(s, "tcp://127.0.0.1:*"));
  routing_.epoch = RoutingEpoch{1};
  routing_.tables = options.tables();
  routing_.worker_incarnation = options.worker_incarnation;
  for (std::uint32_t g = 0; g < options.partition.groups; ++g)
    routing_.group_server.push_back(g * options.servers / options.partition.groups);
  for (auto& server : servers_) {
    routing_.server_address.push_back(server->endpoint());
    routing_.server_incarnation.push_back(1);
  }
}

Cluster::~Cluster() {
  servers_.clear();
  fs::remove_all(dir_);
}

std::unique_ptr<ps::Server> Cluster::bind(std::uint32_t id, const std::string& endpoint) {
  ps::ServerOptions o;
  o.id = ServerId{id};
  o.ranks = options_.ranks;
  o.mode = options_.mode;
  o.partition = options_.partition;
  o.threads = options_.threads;
  o.listen.endpoint = endpoint;
  o.listen.frame_bytes_max = options_.frame_bytes_max;
  o.checkpoint_folder = [this](Step step) { return folder(step); };
  o.on_cut = [this](Step step, Result<std::vector<wire::FilePart>> parts) {
    std::lock_guard lock(mutex_);
    cuts_[step].push_back(std::move(parts).value());
    cut_done_.notify_all();
  };
  for (int attempt = 0;; ++attempt) {            // a socket just closed gives its port back a moment later
    auto server = ps::Server::bind(context_, o);
    if (server || attempt == 200) return std::move(server).value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Cluster::start(Step resume, fs::path checkpoint) {
  for (std::size_t s = 0; s < servers_.size(); ++s)
    servers_[s]->start({Incarnation{routing_.server_incarnation[s]}, routing_, resume, checkpoint}).value();
}

void Cluster::restart_server(std::uint32_t id) {
  servers_[id].reset();
  servers_[id] = bind(id, routing_.server_address[id]);
  servers_[id]->start({Incarnation{routing_.server_incarnation[id] + 1}, routing_, {}, {}}).value();
}

std::unique_ptr<worker::RowClient> Cluster::client(std::uint32_t rank, std::uint64_t incarnation) {
  return std::move(worker::make_row_client(context_,
                                           {WorkerRank{rank}, Incarnation{incarnation}, options_.partition,
                                            options_.values, options_.timeout_ms, options_.resend_ms},
                                           routing_))
      .value();
}

std::map<std::string, std::uint64_t> Cluster::wait_for_cut(Step step) {
  std::unique_lock lock(mutex_);
  CHECK(cut_done_.wait_for(lock, std::chrono::seconds(30), [&] { return cuts_[step].size() == options_.servers; }));
  std::map<std::string, std::uint64_t> files;
  for (const auto& parts : cuts_[step]) for (const auto& part : parts) files[part.path] = part.digest;
  return files;
}

double Cluster::total(const std::string& metric) const {
  double sum = 0;
  for (const auto& server : servers_) sum += server->metrics().at(metric);
  return sum;
}

Work work_of(std::uint64_t step, std::uint32_t rank, TableId table, std::uint32_t dim) {
  KeyedRandom random(mix64(step, rank), static_cast<std::uint64_t>(table), 5);
  Work work;
  const std::uint64_t first = random.below(50);
  for (std::uint64_t key = first; key < first + 150; ++key) if (random.below(3) != 0) work.keys.push_back(RowKey{key});
  for (std::size_t i = 0; i < work.keys.size() * dim; ++i)
    work.gradient.push_back(0.1f * static_cast<float>(random.normal()));
  return work;
}

Reference::Reference(const ClusterOptions& options)
    : options_(options), optimizer_(std::move(ps::make_optimizer(options.optimizer)).value()) {}

Reference::Row& Reference::at(TableId table, RowKey key) {
  const auto [place, fresh] = rows_.try_emplace({table, key});
  Row& row = place->second;
  if (fresh) {
    const std::uint32_t dim = options_.dims[static_cast<std::size_t>(table)];
    row.value.resize(dim);
    row.state.resize(optimizer_->slots(dim));
    initial_row(kSeed, static_cast<std::uint64_t>(table), key.value, kStd, row.value);
  }
  return row;
}

void Reference::step(std::uint64_t step, float learning_rate) {
  for (int t = 0; t < kTables; ++t) {
    const std::uint32_t dim = options_.dims[static_cast<std::size_t>(t)];
    std::map<RowKey, std::vector<float>> sums;
    for (std::uint32_t rank = 0; rank < options_.ranks; ++rank) {
      const Work work = work_of(step, rank, static_cast<TableId>(t), dim);
      for (std::size_t i = 0; i < work.keys.size(); ++i) {
        const float* g = work.gradient.data() + i * dim;
        const auto [sum, first] = sums.try_emplace(work.keys[i], g, g + dim);
        if (!first) for (std::uint32_t d = 0; d < dim; ++d) sum->second[d] += g[d];
      }
    }
    for (auto& [key, gradient] : sums) {
      Row& row = at(static_cast<TableId>(t), key);
      if (options_.optimizer.clip > 0) ps::clip_row(gradient, options_.optimizer.clip);
      optimizer_->update({learning_rate, ++row.count, gradient, row.value.data(), row.state.data()});
    }
  }
}

std::vector<float> Reference::row(TableId table, RowKey key) { return at(table, key).value; }

std::vector<std::vector<float>> train_step(worker::RowClient& client, std::uint64_t step, std::uint32_t rank,
                                           const ClusterOptions& options, Step at_least, bool cut) {
  std::vector<Work> work;
  std::vector<std::vector<float>> pulled;
  for (int t = 0; t < kTables; ++t) {
    work.push_back(work_of(step, rank, static_cast<TableId>(t), options.dims[static_cast<std::size_t>(t)]));
    pulled.emplace_back(work.back().gradient.size());
  }
  std::vector<worker::PullRequest> pulls;
  std::vector<worker::PushRequest> pushes;
  for (int t = 0; t < kTables; ++t) {
    pulls.push_back({static_cast<TableId>(t), work[t].keys, pulled[t]});
    pushes.push_back({static_cast<TableId>(t), work[t].keys, work[t].gradient});
  }
  client.start_pull(at_least, pulls).value();
  client.wait().value();
  client.push(pushes, {Step{step}, kRate, cut}).value();
  return pulled;
}

}  // namespace dyad::tests
