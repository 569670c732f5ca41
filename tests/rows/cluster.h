#pragma once
// A few parameter servers and row clients in one process, over real sockets on loopback, and the plain sequential
// computation that they must equal bit for bit.
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "common/tables/tables_for_test.h"
#include "ps/server.h"
#include "worker/rows/make_row_client.h"

namespace dyad::tests {

inline constexpr int kTables = 3;
inline constexpr std::uint64_t kSeed = 11;
inline constexpr float kStd = 0.02f, kRate = 0.01f;

struct ClusterOptions {
  std::uint32_t servers = 2, ranks = 2, threads = 1;
  ps::Mode mode = ps::Mode::kSync;
  std::array<std::uint32_t, 3> dims{8, 8, 8};
  RowOptimizerOptions optimizer;
  wire::ValueType values = wire::ValueType::kFp32;
  wire::Partition partition{64, 16};
  std::array<std::uint64_t, 3> key_end{220, 220, 220};
  std::int64_t frame_bytes_max = 1 << 30;
  std::uint32_t timeout_ms = 20000, resend_ms = 2000;
  std::vector<std::uint64_t> worker_incarnation = {};          // as the coordinator told; empty: everybody is served
  Tables tables() const { return tables_for_test({dims, key_end, kSeed, kStd, optimizer}); }
};

class Cluster {
 public:
  explicit Cluster(const ClusterOptions& options);
  ~Cluster();
  // Starts all servers, from a checkpoint if `resume` is not 0.
  void start(Step resume = Step{0}, std::filesystem::path checkpoint = {});
  void restart_server(std::uint32_t id);                       // a new incarnation at the same address, empty
  std::unique_ptr<worker::RowClient> client(std::uint32_t rank, std::uint64_t incarnation = 1);
  ps::Server& server(std::uint32_t id) { return *servers_[id]; }
  const wire::Routing& routing() const { return routing_; }
  net::Context& context() { return context_; }
  std::filesystem::path folder(Step step) const { return dir_ / std::to_string(step.value); }
  // Blocks until every server has written its part of the cut; path -> digest.
  std::map<std::string, std::uint64_t> wait_for_cut(Step step);
  double total(const std::string& metric) const;               // over servers

 private:
  std::unique_ptr<ps::Server> bind(std::uint32_t id, const std::string& endpoint);
  ClusterOptions options_;
  std::filesystem::path dir_;
  net::Context context_;
  std::mutex mutex_;
  std::condition_variable cut_done_;
  std::map<Step, std::vector<std::vector<wire::FilePart>>> cuts_;
  wire::Routing routing_;
  std::vector<std::unique_ptr<ps::Server>> servers_;
};

// The rows that rank `rank` touches at `step` and their gradients, drawn from the numbers alone.
struct Work {
  std::vector<RowKey> keys;                                    // ascending
  std::vector<float> gradient;                                 // [keys, dim]
};
Work work_of(std::uint64_t step, std::uint32_t rank, TableId table, std::uint32_t dim);

// Sync training by a map and a loop.
class Reference {
 public:
  explicit Reference(const ClusterOptions& options);
  void step(std::uint64_t step, float learning_rate);          // of all ranks
  std::vector<float> row(TableId table, RowKey key);

 private:
  struct Row { std::vector<float> value, state; std::uint32_t count = 0; };
  Row& at(TableId table, RowKey key);
  ClusterOptions options_;
  std::unique_ptr<ps::RowOptimizer> optimizer_;
  std::map<std::pair<TableId, RowKey>, Row> rows_;
};

// One step of a worker on all tables: pulls at_least, checks nothing, pushes work_of(step). Returns what was pulled,
// table by table.
std::vector<std::vector<float>> train_step(worker::RowClient& client, std::uint64_t step, std::uint32_t rank,
                                           const ClusterOptions& options, Step at_least, bool cut = false);

}  // namespace dyad::tests
