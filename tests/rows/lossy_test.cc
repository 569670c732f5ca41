// The clock, the open pulls and the tables under a network that loses, repeats and reorders: a seeded simulation
// without sockets or time. Workers re-send until they are acknowledged, and start again under another incarnation.
// Whatever happens, sync ends in the rows of the sequential reference, the cut holds those of its step, and no pull
// ever sees a step that it must not.
#include <deque>
#include <map>
#include <gtest/gtest.h>
#include "ps/open_pulls.h"
#include "ps/shard.h"
#include "ps/step_clock.h"
#include "tests/rows/cluster.h"

namespace dyad::tests {
namespace {

constexpr std::uint64_t kSteps = 8, kCut = 4;

struct Packet {
  enum class Kind { kPush, kPushReply, kPull, kPullReply } kind;
  std::uint32_t rank;
  std::uint64_t step;                            // pushed, or of the worker that pulls
  std::uint64_t incarnation;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const ClusterOptions& options, std::uint64_t staleness)
      : random_(seed),
        options_(options),
        staleness_(staleness),
        clock_({.mode = options.mode, .ranks = options.ranks, .window = 64, .start = {}}),
        open_({.ranks = options.ranks}),
        shard_(std::move(ps::Shard::make({options.tables()})).value()),
        workers_(options.ranks) {}

  void run() {
    for (int event = 0; event < 200000 && !finished(); ++event) {
      const auto rank = static_cast<std::uint32_t>(random_.below(options_.ranks));
      if (random_.below(100) == 0) start_again(rank);
      else if (random_.below(3) == 0) say_again(rank);        // a timer of a worker
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
  // As the cut holds it; empty if it has no such row.
  std::vector<float> frozen(TableId table, RowKey key) const {
    const auto& snapshot = cut_->tables[static_cast<std::size_t>(table)];
    for (std::size_t r = 0; r < snapshot.rows; ++r) {
      const ps::Slab& slab = *snapshot.slabs[r / ps::Slab::kRows];
      const std::size_t at = r % ps::Slab::kRows;
      const float* row = slab.data.get() + at * slab.stride;
      if (slab.key(at) == key) return {row, row + snapshot.dim};
    }
    return {};
  }
  bool has_cut() const { return cut_ != nullptr; }
  int repeated() const { return repeated_; }
  int restarts() const { return restarts_; }

 private:
  struct Worker {
    std::uint64_t step = 1;                      // being worked on
    bool pulled = false;
    std::uint64_t incarnation = 1;
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
    if (w.step <= kSteps)
      send({w.pulled ? Packet::Kind::kPush : Packet::Kind::kPull, rank, w.step, w.incarnation});
  }
  void start_again(std::uint32_t rank) {         // nothing of it is under way, or all would have to go back
    Worker& w = workers_[rank];
    if (w.step > kSteps || pushed_[rank] > applied_[rank]) return;
    std::erase_if(network_, [rank](const Packet& p) { return p.kind == Packet::Kind::kPush && p.rank == rank; });
    w = {std::max(w.step, applied_[rank] + 1), false, w.incarnation + 1};
    ++restarts_;
  }
  void deliver() {
    const auto at = network_.begin() + static_cast<std::ptrdiff_t>(random_.below(network_.size()));   // any order
    const Packet p = *at;
    network_.erase(at);
    Worker& w = workers_[p.rank];
    const bool ours = p.incarnation == w.incarnation && p.step == w.step;
    switch (p.kind) {
      case Packet::Kind::kPull: return on_pull(p);
      case Packet::Kind::kPush: return on_push(p);
      case Packet::Kind::kPullReply: if (ours) w.pulled = true; return;
      case Packet::Kind::kPushReply: if (ours && w.pulled) w = {w.step + 1, false, w.incarnation}; return;
    }
  }
  void on_pull(const Packet& p) {
    const ps::Token token = next_token_++;
    const auto known = open_.ask({WorkerRank{p.rank}, Incarnation{p.incarnation}, p.step}, token, 0);
    for (const ps::Token gone : open_.expire(0)) clock_.forget(gone), waiting_.erase(gone);
    if (!known) {
      EXPECT_EQ(known.error().code, Code::kStale);
      EXPECT_LT(p.incarnation, workers_[p.rank].incarnation);
      return;
    }
    if (known.value()) return;                   // it waits
    std::uint64_t at_least = p.step > 1 + staleness_ ? p.step - 1 - staleness_ : 0;
    if (p.step == kCut + 1) at_least = kCut;     // nobody passes a cut
    waiting_.emplace(token, std::pair(p, at_least));
    if (clock_.applied() >= Step{at_least}) return answer(token);
    const Status waits = clock_.wait(Step{at_least}, token);
    ASSERT_TRUE(waits) << waits.error().message;
  }
  void answer(ps::Token token) {
    const auto [p, at_least] = waiting_.at(token);
    waiting_.erase(token);
    open_.close(token);
    for (std::uint32_t r = 0; r < options_.ranks; ++r) EXPECT_GE(applied_[r], at_least);
    const Worker& w = workers_[p.rank];
    if (options_.mode == ps::Mode::kSync && p.incarnation == w.incarnation && p.step == w.step && !w.pulled) {
      EXPECT_EQ(clock_.applied(), Step{p.step - 1});
    }
    send({Packet::Kind::kPullReply, p.rank, p.step, p.incarnation});
  }
  void on_push(const Packet& p) {
    const ps::Token token = p.step * 100 + p.rank;
    const auto verdict = clock_.push(
        {WorkerRank{p.rank}, Incarnation{p.incarnation}, Step{p.step}, kRate, p.step == kCut, token});
    clock_.dropped();
    ASSERT_TRUE(verdict) << verdict.error().message;
    pushed_[p.rank] = std::max(pushed_[p.rank], p.step);
    repeated_ += verdict.value() == ps::StepClock::Verdict::kDuplicate;
    send({Packet::Kind::kPushReply, p.rank, p.step, p.incarnation});
    while (const auto apply = clock_.next()) {
      apply_step(*apply);
      if (apply->freeze) {
        EXPECT_EQ(cut_, nullptr) << "one cut, once";
        for (std::uint32_t r = 0; r < options_.ranks; ++r) EXPECT_EQ(applied_[r], kCut);
        cut_ = shard_->freeze(Step{kCut});
      }
      for (const ps::Token ready : clock_.ready_pulls()) answer(ready);
    }
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
  ps::OpenPulls open_;
  std::unique_ptr<ps::Shard> shard_;
  std::shared_ptr<const ps::ShardSnapshot> cut_;
  ps::Token next_token_ = 1;
  std::map<ps::Token, std::pair<Packet, std::uint64_t>> waiting_;
  std::vector<Worker> workers_;
  std::vector<Packet> network_;
  std::map<std::uint32_t, std::uint64_t> applied_, pushed_;      // of each rank, the last step
  int repeated_ = 0, restarts_ = 0;
};

TEST(LossyNetwork, SyncEndsInTheRowsOfTheSequentialReferenceAndSoDoesItsCut) {
  const ClusterOptions options{.ranks = 3, .dims = {8, 12, 5}};
  Reference reference(options), at_cut(options);
  for (std::uint64_t s = 1; s <= kSteps; ++s) reference.step(s, kRate);
  for (std::uint64_t s = 1; s <= kCut; ++s) at_cut.step(s, kRate);
  int repeated = 0, restarts = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation simulation(seed, options, 0);
    simulation.run();
    repeated += simulation.repeated();
    restarts += simulation.restarts();
    ASSERT_TRUE(simulation.has_cut());
    for (int t = 0; t < kTables; ++t)
      for (std::uint64_t k = 0; k < 200; ++k) {
        const auto table = static_cast<TableId>(t);
        const std::string name = options.tables()[static_cast<std::size_t>(t)].name;
        ASSERT_EQ(simulation.row(table, RowKey{k}), reference.row(table, RowKey{k})) << name << " " << k;
        const auto frozen = simulation.frozen(table, RowKey{k});
        if (!frozen.empty()) {
          ASSERT_EQ(frozen, at_cut.row(table, RowKey{k})) << name << " " << k;
        }
      }
  }
  EXPECT_GT(repeated, 20);
  EXPECT_GT(restarts, 20);
}

TEST(LossyNetwork, SspAndAsyncApplyEachPushOnceInOrderWithinTheBoundAndCutOnce) {
  for (const auto& [mode, staleness] : {std::pair{ps::Mode::kSsp, 0}, {ps::Mode::kSsp, 2}, {ps::Mode::kAsync, 1 << 20}})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(fmt::format("mode {} staleness {} seed {}", static_cast<int>(mode), staleness, seed));
      Simulation simulation(seed, {.ranks = 3, .mode = mode}, static_cast<std::uint64_t>(staleness));
      simulation.run();
      EXPECT_TRUE(simulation.has_cut());
    }
}

}  // namespace
}  // namespace dyad::tests
