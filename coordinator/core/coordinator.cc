#include "coordinator/core/coordinator.h"

#include "common/base/digest.h"
#include "common/base/log.h"

namespace dyad::coordinator {

constexpr Millis kCommitPatienceMs = 30'000;

Coordinator::Coordinator(const CoordinatorOptions& options, WorkPlan& plan, CutStore& store)
    : options_(options), plan_(plan), store_(store),
      membership_({options.servers, options.workers, options.config_digest, options.data, options.dead_after_ms}),
      leases_(options.leases, plan), cuts_({options.servers, options.keep, options.unevaluated_max}) {}

wire::Body Coordinator::handle(const wire::Sender& sender, const wire::Body& message, Millis now, Entries& entries) {
  remove_old(entries);          // not right after a commit: that must be in the journal before what it replaces goes
  const auto visit = [&]() -> Answer {
    DYAD_TRYV(check_run(sender, message));
    return std::visit([&](const auto& m) { return answer(sender, m, now, entries); }, message);
  };
  auto answered = visit();
  if (answered.has_value()) return std::move(answered.value());
  return wire::ErrorReply{std::move(answered.error())};
}

// Before anything compares incarnations or steps: those of another life of the job mean other things.
Status Coordinator::check_run(const wire::Sender& sender, const wire::Body& message) const {
  const bool knows_none = std::holds_alternative<wire::Register>(message) || sender.role == wire::Role::kTool;
  if (sender.run == run_.run || (knows_none && sender.run == RunId{})) return ok();
  return fail(Code::kStale, "{} belongs to run {} of the job, this is run {}: its life is over, it leaves",
              member_name({sender.role, sender.id}), hex64(sender.run.value), hex64(run_.run.value));
}

Status Coordinator::check_worker(const wire::Sender& sender) const {
  DYAD_TRYV(check_current(sender));
  if (sender.role != wire::Role::kWorker)
    return fail(Code::kInvalid, "{} asks for work; only workers do", member_name({sender.role, sender.id}));
  return ok();
}

Status Coordinator::check_current(const wire::Sender& sender) const {
  DYAD_TRYV(membership_.check(sender));
  const Member& member = membership_.members().at({sender.role, sender.id});
  if (member.joined.generation == membership_.generation()) return ok();
  return fail(Code::kStale, "{} registered before a peer restarted: start again from the last checkpoint",
              member_name({sender.role, sender.id}));
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::Register& message, Millis now,
                                        Entries& entries) {
  const std::size_t before = entries.size();
  DYAD_TRY(me, membership_.register_(sender, message, now, entries));
  for (std::size_t i = before; i < entries.size(); ++i) apply_to_cuts(entries[i]);
  const Step resume = cuts_.last();
  const auto cut = cuts_.committed().find(resume);
  const bool joined = entries.size() > before;
  if (joined && sender.role == wire::Role::kWorker)
    leases_.release(WorkerRank{sender.id}, cut == cuts_.committed().end() ? Place{} : cut->second.next, entries);
  if (joined)
    LOG_INFO("{} joined from {} (pid {}), incarnation {}, generation {}", member_name({sender.role, sender.id}),
             message.host, message.pid, me.incarnation, me.generation);
  wire::Registered registered{me.incarnation, resume, run_.checkpoint, run_.run, RoutingEpoch{me.generation},
                              run_.manifest};
  if (resume.value > 0) {
    registered.checkpoint = store_.path(resume);
    registered.manifest = cut == cuts_.committed().end() ? 0 : cut->second.manifest;
  }
  return wire::Body{std::move(registered)};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::GetRouting&, Millis, Entries&) {
  DYAD_TRYV(check_current(sender));              // who waits for a routing of the next generation would wait for ever
  DYAD_TRY(routing, membership_.routing(options_.groups));
  return wire::Body{std::move(routing)};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::Heartbeat& message, Millis now,
                                        Entries&) {
  DYAD_TRY(command, membership_.heartbeat(sender, message, now));
  return wire::HeartbeatReply{command};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::AcquireLease& message, Millis,
                                        Entries& entries) {
  DYAD_TRYV(check_worker(sender));
  DYAD_TRY(lease, leases_.acquire(WorkerRank{sender.id}, message, entries));
  return wire::Body{lease};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::CompleteLease& message, Millis now,
                                        Entries& entries) {
  DYAD_TRYV(check_worker(sender));
  DYAD_TRYV(leases_.complete(WorkerRank{sender.id}, message, entries));
  commit_complete(now, entries);
  return wire::Ack{};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::CutPart& message, Millis now,
                                        Entries& entries) {
  DYAD_TRYV(check_current(sender));
  DYAD_TRYV(Cuts::check_sender(sender));
  const Step step = message.step;
  if (!cuts_.was_committed(step) && cuts_.given_up(step).empty()) {
    if (!message.failure.empty()) {
      give_up(step, fmt::format("{}: {}", member_name({sender.role, sender.id}), message.failure), entries);
    } else {
      DYAD_TRYV(cuts_.add_part(sender, message));
      commit_complete(now, entries);
      DYAD_TRYV(check_owing(step));
    }
  }
  return wire::CutStatus{step, cuts_.was_committed(step), cuts_.given_up(step)};
}

// A new generation drops the pending cuts; one that comes to the same step again has all its time again.
void Coordinator::apply_to_cuts(const Entry& entry) {
  if (std::holds_alternative<GenerationBegan>(entry)) failing_.reset();
  cuts_.apply(entry);
}

void Coordinator::give_up(Step step, const std::string& why, Entries& entries) {
  LOG_WARN("checkpoint {} is given up, training goes on to the next: {}", store_.folder(step), why);
  cuts_.give_up(step, why, entries);
  store_.drop(step, fence());
  if (failing_ && failing_->first == step) failing_.reset();
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::EvalResult& message, Millis,
                                        Entries& entries) {
  if (sender.role != wire::Role::kTool)
    return fail(Code::kInvalid, "{} reports an evaluation; `dyad eval` does", member_name({sender.role, sender.id}));
  const std::size_t before = entries.size();
  DYAD_TRYV(evaluations_.record(message, cuts_.committed(), entries));
  if (entries.size() == before) return wire::Ack{};
  const Step best = evaluations_.best(cuts_.committed());
  if (best.value > 0) { DYAD_TRYV(store_.point_best(best)); }
  const auto metric = message.metrics.find(kBestMetric);
  LOG_INFO("evaluated {} on {}: {} {}; best is step {}", message.checkpoint, message.split, kBestMetric,
           metric == message.metrics.end() ? "(none)" : fmt::format("{:.4f}", metric->second), best);
  return wire::Ack{};
}

Coordinator::Answer Coordinator::answer(const wire::Sender& sender, const wire::Goodbye& message, Millis,
                                        Entries& entries) {
  DYAD_TRYV(membership_.goodbye(sender, message.reason, entries));
  LOG_INFO("{} left: {}", member_name({sender.role, sender.id}), message.reason);
  return wire::Ack{};
}

// Who falls silent begins a new generation, and with it the cut is gone. But a server may also leave in good order.
Status Coordinator::check_owing(Step cut) const {
  const auto pending = cuts_.pending().find(cut);
  if (pending == cuts_.pending().end()) return ok();
  for (const auto& [name, member] : membership_.members())
    if (name.first == wire::Role::kServer && member.left && pending->second.servers.count(name.second) == 0)
      return fail(Code::kStale, "cut {} is given up: {} left without its part of it", cut, member_name(name));
  return ok();
}

// What can't be written (no room, no descriptors) is tried again whenever a part is said again, for a while.
void Coordinator::commit_complete(Millis now, Entries& entries) {
  for (;;) {
    const auto complete = cuts_.complete();
    if (complete.empty()) return;
    const Step step = complete.front()->step;
    if (!leases_.complete_before(complete.front()->next)) {
      LOG_DEBUG("cut {} waits for {}", step, leases_.open_before(complete.front()->next));
      return;
    }
    const Status done = commit(*complete.front(), entries);
    if (done.has_value()) {
      failing_.reset();
      continue;
    }
    const bool first = !failing_ || failing_->first != step;
    if (first) LOG_WARN("{}; trying again for {} s", done.error().message, kCommitPatienceMs / 1000);
    if (first) failing_.emplace(step, now);
    if (now < failing_->second + kCommitPatienceMs) return;
    give_up(step, done.error().message, entries);
  }
}

Status Coordinator::commit(PendingCut cut, Entries& entries) {
  cut.next = leases_.normalised(cut.next);
  cut.facts.insert(run_.facts.begin(), run_.facts.end());
  DYAD_TRY(manifest, store_.commit(cut, membership_.tables(), fence()));
  cuts_.commit(cut, store_.folder(cut.step), manifest, entries);
  LOG_INFO("checkpoint {} committed: step {}, training goes on at epoch {} batch {}", store_.folder(cut.step), cut.step,
           cut.next.epoch, cut.next.batch);
  return ok();
}

void Coordinator::remove_old(Entries& entries) {
  const auto& committed = cuts_.committed();
  for (const auto& [step, unevaluated] :
       cuts_.to_remove(evaluations_.best(committed), evaluations_.evaluated(committed))) {
    if (unevaluated)
      LOG_WARN("checkpoint {} goes without a validation result and can't be the best: more than {} wait for theirs",
               store_.folder(step), options_.unevaluated_max);
    if (auto status = store_.remove(step); !status.has_value()) LOG_WARN("{}", status.error().message);
    cuts_.removed(step, entries);
  }
}

void Coordinator::tick(Millis now, Entries& entries) {
  const std::size_t before = entries.size();
  membership_.tick(now, entries);
  for (std::size_t i = before; i < entries.size(); ++i) apply_to_cuts(entries[i]);
  remove_old(entries);
  if (stopping_ms_ == 0 && membership_.all_workers_left()) stopping_ms_ = now;
  if (stopping_ms_ != 0 && !cuts_.any_pending()) membership_.stop();
}

void Coordinator::apply(const Entry& entry, Millis now) {
  if (const auto* run = std::get_if<RunStarted>(&entry)) run_ = *run;
  membership_.apply(entry, now);
  leases_.apply(entry);
  apply_to_cuts(entry);
  evaluations_.apply(entry);
}

Coordinator::End Coordinator::end(Millis now, std::string& why) const {
  if (leases_.audit_failed()) {                  // at once: what comes after it is worth nothing
    why = "the audit of an epoch failed: see the error above; the result is not what the log says";
    return End::kFailed;
  }
  if (stopping_ms_ == 0) return End::kNotYet;
  const bool patient = now < stopping_ms_ + options_.dead_after_ms;
  if (cuts_.any_pending()) {
    if (now < stopping_ms_ + 3 * options_.dead_after_ms) return End::kNotYet;
    why = fmt::format("the workers left, but cut {} was never complete: missing {}", cuts_.pending().begin()->first,
                      cuts_.missing());
    return End::kFailed;
  }
  if (!membership_.all_servers_left() && patient) return End::kNotYet;
  why = fmt::format("every worker left, the last checkpoint is step {}", cuts_.last());
  return End::kDone;
}

}  // namespace dyad::coordinator
