#include "tools/bench/dyad_store.h"

#include "common/control/address.h"
#include "worker/rows/make_row_client.h"

namespace dyad::bench {
namespace {

class DyadClient final : public Client {
 public:
  DyadClient(const worker::RowClientOptions& options, const wire::Routing& routing)
      : dim_(routing.tables[0].width), rows_(std::move(worker::make_row_client(context_, options, routing)).value()) {}

  void pull(const Batch& batch) override {
    std::vector<worker::PullRequest> pulls;
    for (int t = 0; t < kTables; ++t) {
      values_[t].resize(batch.keys[t].size() * dim_);
      pulls.push_back({static_cast<TableId>(t), batch.keys[t], values_[t]});
    }
    rows_->start_pull(step_, pulls).value();
    rows_->wait().value();
  }
  void push(const Batch& batch) override {
    std::vector<worker::PushRequest> pushes;
    for (int t = 0; t < kTables; ++t) {
      values_[t].resize(batch.keys[t].size() * dim_);
      pushes.push_back({static_cast<TableId>(t), batch.keys[t], values_[t]});
    }
    step_ = Step{step_.value + 1};
    rows_->push(pushes, {step_, 1e-3f}).value();
    rows_->flush().value();
  }

 private:
  std::uint32_t dim_;
  net::Context context_;
  std::unique_ptr<worker::RowClient> rows_;
  std::array<std::vector<float>, kTables> values_;
  Step step_;                                                  // pushed last
};

}  // namespace

DyadStore::DyadStore(const StoreOptions& options, const Transport& transport)
    : options_(options), transport_(transport), routing_{RoutingEpoch{1}, {}, {}, {}, {}, {}} {
  for (std::uint64_t t = 0; t < kTables; ++t)
    routing_.tables.push_back(
        {"t" + std::to_string(t), options.dim, options.key_end, 1, t, 0.02f, {.name = options.optimizer}});
  for (std::uint32_t s = 0; s < options.servers; ++s) {
    contexts_.push_back(std::make_unique<net::Context>());
    const net::Security& security = transport.security;
    if (security.enabled()) contexts_.back()->start_authentication({security.own.public_key}).value();
    ps::ServerOptions server;
    server.listen.security = security;
    server.listen.local = control::server_socket(transport.folder, ServerId{s});
    server.id = ServerId{s};
    server.ranks = options.workers;
    server.partition = partition_;
    server.threads = options.threads;
    server.checkpoint_folder = [](Step) { return std::filesystem::temp_directory_path(); };
    server.on_cut = [](Step, Result<std::vector<wire::FilePart>>) {};
    servers_.push_back(std::move(ps::Server::bind(*contexts_.back(), server)).value());
    routing_.server_address.push_back(servers_.back()->endpoint());
    routing_.server_incarnation.push_back(1);
  }
  for (std::uint32_t g = 0; g < partition_.groups; ++g) routing_.group_server.push_back(g % options.servers);
  for (auto& server : servers_) server->start({Incarnation{1}, routing_, {}, {}}).value();
}
DyadStore::~DyadStore() { servers_.clear(); }

std::unique_ptr<Client> DyadStore::client(std::uint32_t worker) const {
  worker::RowClientOptions options{WorkerRank{worker}, Incarnation{1}, partition_,
                                   options_.wire == "fp16" ? wire::ValueType::kFp16 : wire::ValueType::kFp32};
  options.security = transport_.security;
  options.job_dir = transport_.folder;
  return std::make_unique<DyadClient>(options, routing_);
}

}  // namespace dyad::bench
