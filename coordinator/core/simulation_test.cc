// A whole job against the core under one seed: workers and servers die, messages are lost, repeated and come late, the
// coordinator is killed and replayed from its entries. Four promises are checked apart:
//   - an audit passes only if every sample of its epoch was trained on exactly once in the surviving history,
//   - a checkpoint is committed only with all parts, each of the generation that it is committed under,
//   - replay gives the state that was,
//   - the job ends.
// DYAD_SIM_SEED=n replays one seed.
#include <gtest/gtest.h>
#include <cstdlib>
#include <memory>
#include "common/base/log.h"
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

constexpr std::uint32_t kServers = 2, kWorkers = 3;
constexpr std::uint64_t kEpochs = 3, kBatches = 12, kCutSteps = 9;

struct Late { wire::Sender sender; wire::Body body; };

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool cheat) : random_(seed, 77), cheat_(cheat), plan_(kBatches, kWorkers) {
    restart_coordinator(true);
  }

  void run() {
    for (int attempt = 0; attempt < 200; ++attempt) {
      if (!start_everybody() || !train()) continue;
      core_->tick(now_, entries_);                                 // removes what the last cut replaces
      return;
    }
    FAIL() << "the job did not end";
  }
  const Coordinator& core() const { return *core_; }
  bool cheated_in(std::uint64_t epoch) const {                       // in the history that survived
    for (const auto& [part, cheated] : history_)
      if (cheated && std::get<1>(part) == epoch) return true;
    return false;
  }
  const TestStore& store() const { return store_; }

 private:
  bool chance(int per_mille) { return random_.below(1000) < static_cast<std::uint64_t>(per_mille); }

  // All that somebody may have been told of. Parts of cuts are not: their senders say them again.
  std::string told() const {
    std::string text = fmt::format("generation {}\n", core_->membership().generation());
    for (const auto& [name, m] : core_->membership().members())
      text += fmt::format("{} {} of {} {}\n", member_name(name), m.joined.incarnation, m.joined.generation, m.reason);
    for (const auto& [step, cut] : core_->cuts().committed())
      text += fmt::format("cut {} at {} {}\n", step, cut.next.epoch, cut.next.batch);
    for (const auto& [epoch, audit] : core_->leases().audits()) text += audit.text + "\n";
    return text + core_->leases().open_before({kEpochs, 0});
  }

  void check_commits() {
    for (; checked_ < store_.committed.size(); ++checked_) {
      const auto& [cut, fence] = store_.committed[checked_];
      const std::string suffix = fmt::format("-{}", fence.generation);
      EXPECT_TRUE(cut.worker_came) << cut.step.value;
      EXPECT_EQ(cut.servers.size(), kServers) << cut.step.value;
      auto parts = cut.servers;
      parts[kServers] = cut.worker;
      for (const auto& [id, files] : parts) {
        ASSERT_EQ(files.size(), 1u);
        EXPECT_TRUE(files[0].path.ends_with(suffix)) << files[0].path << " in a checkpoint of generation" << suffix;
      }
    }
  }

  void restart_coordinator(bool first) {
    const std::string before = first ? "" : told();
    core_ = std::make_unique<Coordinator>(
        CoordinatorOptions{
            .servers = kServers,
            .workers = kWorkers,
            .groups = 4,
            .keep = 2,
            .leases = {.workers = kWorkers, .lease_batches = 5, .cut_steps = kCutSteps, .epochs = kEpochs},
            .dead_after_ms = 1000},
        plan_, store_);
    if (first) entries_.push_back(RunStarted{.workers = kWorkers});
    for (const Entry& entry : entries_) core_->apply(decode_entry(encode(entry)).value(), now_);
    if (!first) { EXPECT_EQ(told(), before) << "a replay gives the state that was"; }
  }

  // One request as a client makes it: lost before or after it was handled, repeated; old messages come again.
  template <class T> Result<T> ask(const wire::Sender& sender, const wire::Body& body) {
    for (;; now_ += 1) {
      if (chance(3)) restart_coordinator(false);
      if (!late_.empty() && chance(50)) {
        const Late old = late_[random_.below(late_.size())];
        (void)core_->handle(old.sender, old.body, now_, entries_);
      }
      if (chance(30)) continue;                                    // lost on the way there
      auto answer = core_->handle(sender, body, now_, entries_);
      if (chance(100)) late_.push_back({sender, body});
      if (late_.size() > 40) late_.erase(late_.begin());
      if (chance(30)) continue;                                    // lost on the way back
      return as<T>(std::move(answer));
    }
  }

  bool start_everybody() {
    for (std::uint32_t i = 0; i < kServers + kWorkers; ++i) {
      wire::Sender& me = peers_[i];
      me = i < kServers ? server(i, ++nonce_) : worker(i - kServers, ++nonce_);
      const wire::Register message{.address = "tcp://x", .tables = tables_for_test()};
      const auto registered = ask<wire::Registered>(me, message).value();
      me.incarnation = registered.incarnation;
      generation_[i] = registered.generation;
      if (i >= kServers) at_[i - kServers] = registered.resume;
    }
    for (const Step at : at_) EXPECT_EQ(at, at_[0]) << "everybody goes back to the same cut";
    return ask<wire::Routing>(peers_[0], wire::GetRouting{}).has_value();
  }

  bool cut(Step step, Place next) {
    wire::CutPart part{step, {}, {{"epoch", std::to_string(next.epoch)}, {"next_batch", std::to_string(next.batch)}}};
    for (int round = 0; round < 50; ++round)
      for (std::uint32_t i : {kServers, 0u, 1u}) {
        part.files = {{fmt::format("file{}-{}", i, generation_[i]), 1, 1}};
        const auto status = ask<wire::CutStatus>(peers_[i], part);
        check_commits();
        if (!status.has_value()) return false;
        if (status.value().committed) return true;
      }
    ADD_FAILURE() << "cut " << step.value << " was not committed";
    return false;
  }

  // Ranks in lock step; false when somebody died: everybody starts again.
  bool train() {
    Place place = {at_[0].value / kBatches, at_[0].value % kBatches};
    while (place.epoch < kEpochs) {
      std::uint64_t end = 0;
      for (std::uint32_t r = 0; r < kWorkers; ++r) {
        const auto lease = ask<wire::Lease>(peers_[kServers + r], wire::AcquireLease{place.epoch, place.batch});
        if (!lease.has_value()) return false;
        end = lease.value().end_batch;
        leases_[r] = lease.value();
      }
      if (chance(80)) return false;                                // killed in the middle
      for (std::uint32_t r = 0; r < kWorkers; ++r) {
        Sum sum = plan_.part(place.epoch, place.batch, end, WorkerRank{r});
        const bool cheats = cheat_ && chance(40);                   // one sample doubled, another skipped
        if (cheats) sum.checksum += random_.next() | 1;
        history_[{r, place.epoch, place.batch}] = cheats;
        if (!ask<wire::Ack>(peers_[kServers + r], wire::CompleteLease{leases_[r].id, end, sum.count, sum.checksum})
                 .has_value())
          return false;
      }
      place.batch = end;
      const Step step{place.epoch * kBatches + end};
      if ((step.value % kCutSteps == 0 || end == kBatches) && !cut(step, place)) return false;
      if (end == kBatches) place = {place.epoch + 1, 0};
    }
    return true;
  }

  KeyedRandom random_;
  bool cheat_;
  TestPlan plan_;
  TestStore store_;
  std::unique_ptr<Coordinator> core_;
  Entries entries_;
  Millis now_ = 1;
  std::uint64_t nonce_ = 1000;
  wire::Sender peers_[kServers + kWorkers];
  RoutingEpoch generation_[kServers + kWorkers];
  std::size_t checked_ = 0;                                          // of store_.committed
  Step at_[kWorkers];
  wire::Lease leases_[kWorkers];
  std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>, bool>
      history_;  // rank, epoch, first batch: cheated?
  std::vector<Late> late_;
};

std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* one = std::getenv("DYAD_SIM_SEED");
  if (one == nullptr) return {1, 200};
  return {std::strtoull(one, nullptr, 10), std::strtoull(one, nullptr, 10)};
}

class CoordinatorSimulation : public testing::Test {
 protected:
  void SetUp() override { set_log_level("off"); }
  void TearDown() override { set_log_level("info"); }
};

TEST_F(CoordinatorSimulation, HonestWorkersPassEveryAuditWhateverIsLost) {
  const auto [first, last] = seeds();
  for (std::uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("DYAD_SIM_SEED={}", seed));
    Simulation simulation(seed, false);
    simulation.run();
    EXPECT_EQ(simulation.core().leases().audits().size(), kEpochs);
    EXPECT_FALSE(simulation.core().leases().audit_failed());
    EXPECT_EQ(simulation.core().cuts().last(), Step{kEpochs * kBatches});
    EXPECT_EQ(simulation.store().exist.size(), 2u);
  }
}

TEST_F(CoordinatorSimulation, AnEpochInWhichASampleWasSkippedOrDoubledNeverPasses) {
  const auto [first, last] = seeds();
  std::size_t failed = 0;
  for (std::uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("DYAD_SIM_SEED={}", seed));
    Simulation simulation(seed, true);
    simulation.run();
    const auto& audits = simulation.core().leases().audits();
    EXPECT_EQ(audits.size(), kEpochs);
    for (const auto& [epoch, audit] : audits)
      EXPECT_EQ(audit.passed, !simulation.cheated_in(epoch)) << "epoch " << epoch;
    failed += simulation.core().leases().audit_failed();
  }
  if (last > first) { EXPECT_GT(failed, 20u) << "the test must see cheats that survive to the audit"; }
}

}  // namespace
}  // namespace dyad::coordinator
