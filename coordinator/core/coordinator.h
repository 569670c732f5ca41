#pragma once
// The coordinator as one pure object: message in, answer and journal entries out, time as an argument. Knows no socket,
// no thread, no file but through CutStore. server.h is the wiring; the same object runs in seeded simulations.
//   entries: write them to the journal before the answer is sent.
#include <memory>
#include <optional>
#include <string>
#include "common/base/clock.h"
#include "coordinator/core/cuts.h"
#include "coordinator/core/evaluations.h"
#include "coordinator/core/leases.h"
#include "coordinator/core/membership.h"

namespace dyad::coordinator {

struct CoordinatorOptions {
  std::string job;
  std::uint64_t config_digest = 0;
  data::Identity::Parts data;
  std::map<std::string, std::string> eval;   // split -> config::EvalSettings in words
  std::uint32_t servers = 1, workers = 1, groups = 32, keep = 3;
  std::uint32_t unevaluated_max = 0;       // see CutsOptions
  LeaseOptions leases;
  Millis dead_after_ms = 15000;
};

class Coordinator {
 public:
  Coordinator(const CoordinatorOptions& options, WorkPlan& plan, CutStore& store);

  wire::Body handle(const wire::Sender& sender, const wire::Body& message, Millis now, Entries& entries);
  void tick(Millis now, Entries& entries);                   // a few times a second
  void apply(const Entry& entry, Millis now);                // replay, and the first entry of a run

  enum class End { kNotYet, kDone, kFailed };
  // kDone: every worker left, all cuts are committed, servers were told to stop and left (or are silent).
  // kFailed: an audit failed (at once), or the workers left without a cut that never came to be.
  End end(Millis now, std::string& why) const;

  const CoordinatorOptions& options() const { return options_; }
  const Membership& membership() const { return membership_; }
  const Leases& leases() const { return leases_; }
  const Cuts& cuts() const { return cuts_; }
  const Evaluations& evaluations() const { return evaluations_; }
  const RunStarted& run() const { return run_; }
  Place place_at(Step step) { return leases_.at_step(step); }
  std::uint64_t batches(std::uint64_t epoch) { return plan_.batches(epoch); }

 private:
  using Answer = Result<wire::Body>;
  Answer answer(const wire::Sender& sender, const wire::Register& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::GetRouting& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::Heartbeat& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::AcquireLease& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::CompleteLease& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::CutPart& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::EvalResult& message, Millis now, Entries& entries);
  Answer answer(const wire::Sender& sender, const wire::Goodbye& message, Millis now, Entries& entries);
  template <class Other> Answer answer(const wire::Sender&, const Other&, Millis, Entries&) {
    return fail(Code::kInvalid, "the coordinator does not answer this kind of message");
  }
  Status check_run(const wire::Sender& sender, const wire::Body& message) const;
  Status check_worker(const wire::Sender& sender) const;
  Status check_current(const wire::Sender& sender) const;    // of this generation
  Status check_owing(Step cut) const;                        // kStale: who owes a part of it is lost
  ckpt::Fence fence() const { return {run_.run, RoutingEpoch{membership_.generation()}}; }
  void apply_to_cuts(const Entry& entry);
  void give_up(Step step, const std::string& why, Entries& entries);
  void commit_complete(Millis now, Entries& entries);
  Status commit(PendingCut cut, Entries& entries);   // by value: committing drops the pending one
  void remove_old(Entries& entries);

  CoordinatorOptions options_;
  WorkPlan& plan_;
  CutStore& store_;
  Membership membership_;
  Leases leases_;
  Cuts cuts_;
  Evaluations evaluations_;
  RunStarted run_;
  std::optional<std::pair<Step, Millis>> failing_;           // a complete cut that can't be committed, since when
  Millis stopping_ms_ = 0;                                   // since when every worker has left; 0: not yet
};

}  // namespace dyad::coordinator
