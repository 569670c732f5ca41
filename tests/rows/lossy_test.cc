// The clock and its tables under a network that loses, repeats and reorders: a seeded simulation without sockets or
// time. Workers re-send until they are acknowledged. Whatever the network does, sync ends in the rows of the sequential
// reference and no pull ever sees a step that it must not.
#include <deque>
#include <map>
#include <gtest/gtest.h>
#include "ps/shard.h"
#include "ps/step_clock.h"
#include "tests/rows/cluster.h"

namespace dyad::tests {
namespace {

constexpr std::uint64_t kSteps = 8;

struct Packet {
  enum class Kind { kPush, kPushReply, kPull, kPullReply } kind;
  std::uint32_t rank;
  std::uint64_t step;                            // pushed, or of the worker that pulls
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const ClusterOptions& options, std::uint64_t staleness)
      : random_(seed),
        options_(options),
        staleness_(staleness),
        clock_({.mode = options.mode, .ranks = options.ranks, .window = 64, .start = {}}),
        shard_(std::move(ps::Shard::make({options.dims, kSeed, kStd, options.optimizer})).value()),
        workers_(options.ranks) {}

  void run() {
    for (int event = 0; event < 200000 && !finished(); ++event) {
      const auto rank = static_cast<std::uint32_t>(random_.below(options_.ranks));
      if (random_.below(3) == 0) say_again(rank);             // a timer of a worker
      else if (!network_.empty()) deliver();
    }
    ASSERT_TRUE(finished()) << "no progress";
  }

  std::vector<float> row(TableId table, RowKey key) const {
    std::vector<float> out(options_.dims[static_cast<std::size_t>(table)]);
    const wire::SectionView view{table, 1, {&key, 1}, {}};
    shard_->gather(view, {}, wire::ValueType::kFp32, reinterpret_cast<std::byte*>(out.data()));
    return out;
  }
  int repeated() const { return repeated_; }

 private:
  struct Worker {
    std::uint64_t step = 1;                      // being worked on
    bool pulled = false;
  };
  bool finished() const {
    for (const Worker& w : workers_) if (w.step <= kSteps) return false;
    return true;
  }
  void send(const Packet& packet) {
    const std::uint64_t luck = random_.below(10);
    if (luck < 2) return;                        // lost
    network_.push_back(packet);
    if (luck == 9) network_.push_back(packet);   // repeated
  }
  void say_again(std::uint32_t rank) {
    const Worker& w = workers_[rank];
    if (w.step <= kSteps) send({w.pulled ? Packet::Kind::kPush : Packet::Kind::kPull, rank, w.step});
  }
  void deliver() {
    const auto at = network_.begin() + static_cast<std::ptrdiff_t>(random_.below(network_.size()));   // any order
    const Packet p = *at;
    network_.erase(at);
    Worker& w = workers_[p.rank];
    switch (p.kind) {
      case Packet::Kind::kPull: return on_pull(p);
      case Packet::Kind::kPush: return on_push(p);
      case Packet::Kind::kPullReply: if (p.step == w.step) w.pulled = true; return;
      case Packet::Kind::kPushReply: if (p.step == w.step && w.pulled) w = {w.step + 1, false}; return;
    }
  }
  void on_pull(const Packet& p) {
    const std::uint64_t at_least = p.step > 1 + staleness_ ? p.step - 1 - staleness_ : 0;
    if (clock_.applied() < Step{at_least}) return;            // asked again later
    for (std::uint32_t r = 0; r < options_.ranks; ++r) EXPECT_GE(applied_[r], at_least);
    const Worker& w = workers_[p.rank];
    if (options_.mode == ps::Mode::kSync && p.step == w.step && !w.pulled) {
      EXPECT_EQ(clock_.applied(), Step{p.step - 1});
    }
    send({Packet::Kind::kPullReply, p.rank, p.step});
  }
  void on_push(const Packet& p) {
    const ps::Token token = p.step * 100 + p.rank;
    const auto verdict = clock_.push({WorkerRank{p.rank}, Incarnation{1}, Step{p.step}, kRate, false, token});
    ASSERT_TRUE(verdict) << verdict.error().message;
    repeated_ += verdict.value() == ps::StepClock::Verdict::kDuplicate;
    send({Packet::Kind::kPushReply, p.rank, p.step});
    while (const auto apply = clock_.next()) apply_step(*apply);
  }
  void apply_step(const ps::ApplyStep& apply) {
    std::vector<std::vector<Work>> work;
    std::vector<std::vector<wire::SectionView>> views;
    for (const ps::Token token : apply.pushes) {
      const auto rank = static_cast<std::uint32_t>(token % 100);
      EXPECT_EQ(++applied_[rank], token / 100) << "each push once, in the order of its steps";
      work.emplace_back();
      for (int t = 0; t < kTables; ++t)
        work.back().push_back(
            work_of(token / 100, rank, static_cast<TableId>(t), options_.dims[static_cast<std::size_t>(t)]));
    }
    for (const auto& of_rank : work) {
      views.emplace_back();
      for (int t = 0; t < kTables; ++t) {
        const Work& w = of_rank[static_cast<std::size_t>(t)];
        views.back().push_back({static_cast<TableId>(t), w.keys.size(), w.keys, std::as_bytes(std::span(w.gradient))});
      }
    }
    std::vector<ps::PushPart> parts;
    for (const auto& v : views) parts.push_back({v, {}, wire::ValueType::kFp32});
    shard_->apply(apply.learning_rate, parts);
  }

  KeyedRandom random_;
  ClusterOptions options_;
  std::uint64_t staleness_;
  ps::StepClock clock_;
  std::unique_ptr<ps::Shard> shard_;
  std::vector<Worker> workers_;
  std::vector<Packet> network_;
  std::map<std::uint32_t, std::uint64_t> applied_;
  int repeated_ = 0;
};

TEST(LossyNetwork, SyncEndsInTheRowsOfTheSequentialReference) {
  const ClusterOptions options{.ranks = 3};
  Reference reference(options);
  for (std::uint64_t s = 1; s <= kSteps; ++s) reference.step(s, kRate);
  int repeated = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation simulation(seed, options, 0);
    simulation.run();
    repeated += simulation.repeated();
    for (std::uint64_t k = 0; k < 200; k += 7)
      ASSERT_EQ(simulation.row(TableId::kSemantic, RowKey{k}), reference.row(TableId::kSemantic, RowKey{k})) << k;
  }
  EXPECT_GT(repeated, 20);
}

TEST(LossyNetwork, SspAndAsyncApplyEachPushOnceInOrderWithinTheBound) {
  for (const auto& [mode, staleness] : {std::pair{ps::Mode::kSsp, 0}, {ps::Mode::kSsp, 2}, {ps::Mode::kAsync, 1 << 20}})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(fmt::format("mode {} staleness {} seed {}", static_cast<int>(mode), staleness, seed));
      Simulation simulation(seed, {.ranks = 3, .mode = mode}, static_cast<std::uint64_t>(staleness));
      simulation.run();
    }
}

}  // namespace
}  // namespace dyad::tests
