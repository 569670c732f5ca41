#include "ps/step_clock.h"

#include <algorithm>
#include <cmath>
#include "common/base/check.h"

namespace dyad::ps {

Result<Mode> parse_mode(const std::string& name) {
  if (name == "sync") return Mode::kSync;
  if (name == "ssp") return Mode::kSsp;
  if (name == "async") return Mode::kAsync;
  return fail(Code::kInvalid, "train.mode = \"{}\" is unknown: choose sync, ssp or async", name);
}

StepClock::StepClock(const ClockOptions& options) : options_(options), ranks_(options.ranks) {
  CHECK_GT(options.ranks, 0u);
  for (Rank& rank : ranks_) rank.applied = options.start;
}

Step StepClock::applied() const {
  Step least = ranks_[0].applied;
  for (const Rank& rank : ranks_) least = std::min(least, rank.applied);
  return least;
}

std::size_t StepClock::held() const {
  std::size_t n = 0;
  for (const Rank& rank : ranks_) n += rank.pending.size();
  return n;
}

Status StepClock::check_incarnation(Rank& rank, const PushInfo& push) {
  if (push.incarnation == rank.incarnation) return ok();
  if (push.incarnation < rank.incarnation)
    return fail(Code::kStale, "push of step {} by incarnation {} of worker {}, whose place incarnation {} has taken",
                push.step, push.incarnation, push.rank, rank.incarnation);
  if (push.step <= rank.applied)
    return fail(Code::kStale,
                "worker {} started again at step {}, but step {} is applied here: the servers must return to its "
                "checkpoint first",
                push.rank, push.step, rank.applied);
  rank.incarnation = push.incarnation;
  for (const auto& [step, held] : rank.pending) dropped_.push_back(held.token);
  rank.pending.clear();
  return ok();
}

// In sync mode the pushes of one step are one update; a cut is one in every mode.
Status StepClock::check_agreement(const PushInfo& push) const {
  if (!std::isfinite(push.learning_rate) || push.learning_rate < 0)
    return fail(Code::kInvalid, "worker {} pushed step {} with learning rate {}", push.rank, push.step,
                push.learning_rate);
  for (const Rank& rank : ranks_) {
    const auto other = rank.pending.find(push.step);
    if (other == rank.pending.end()) continue;
    if (other->second.cut != push.cut)
      return fail(Code::kInvalid, "workers {} and {} disagree whether step {} ends in a checkpoint", push.rank,
                  other->second.rank, push.step);
    if (options_.mode == Mode::kSync && other->second.learning_rate != push.learning_rate)
      return fail(Code::kInvalid, "workers {} and {} disagree about the learning rate of step {}: {} and {}", push.rank,
                  other->second.rank, push.step, push.learning_rate, other->second.learning_rate);
  }
  if (options_.mode == Mode::kSync || !cut_) return ok();
  if (push.step > *cut_)
    return fail(Code::kInvalid,
                "worker {} pushed step {} before the checkpoint at step {} was complete: wait for a pull of at least "
                "step {} first",
                push.rank, push.step, *cut_, *cut_);
  if ((push.step == *cut_) != push.cut)
    return fail(Code::kInvalid,
                "worker {} pushed step {}, and disagrees with the others about the checkpoint at step {}", push.rank,
                push.step, *cut_);
  return ok();
}

Result<StepClock::Verdict> StepClock::push(const PushInfo& push) {
  if (push.rank.value >= ranks_.size())
    return fail(Code::kInvalid, "push by worker {} of a job of {}: do all processes run the same configuration?",
                push.rank, ranks_.size());
  Rank& rank = ranks_[push.rank.value];
  DYAD_TRYV(check_incarnation(rank, push));
  if (push.step <= rank.applied || rank.pending.contains(push.step)) return Verdict::kDuplicate;
  if (push.step.value > rank.applied.value + options_.window)
    return fail(Code::kOverloaded, "worker {} is at step {}, {} steps past what is applied of it; at most {} are held",
                push.rank, push.step, push.step.value - rank.applied.value, options_.window);
  DYAD_TRYV(check_agreement(push));
  if (push.cut && (!cut_ || push.step < *cut_)) cut_ = push.step;
  rank.pending.emplace(push.step, push);
  CHECK(!cut_ || *cut_ > applied());             // an open cut is ahead of what is applied from every rank
  CHECK_LE(rank.pending.size(), std::size_t{options_.window});
  return Verdict::kAccepted;
}

bool StepClock::may_apply(const Rank& rank) const {
  const auto first = rank.pending.begin();
  if (first == rank.pending.end() || first->first.value != rank.applied.value + 1) return false;
  return !cut_ || first->first <= *cut_;
}

std::optional<ApplyStep> StepClock::next() { return options_.mode == Mode::kSync ? next_sync() : next_single(); }

std::optional<ApplyStep> StepClock::next_sync() {
  if (!std::all_of(ranks_.begin(), ranks_.end(), [this](const Rank& r) { return may_apply(r); })) return std::nullopt;
  const PushInfo& first = ranks_[0].pending.begin()->second;
  ApplyStep apply{first.step, first.learning_rate, {}, first.cut};
  for (Rank& rank : ranks_) {
    const PushInfo& push = rank.pending.begin()->second;
    CHECK_EQ(push.step, apply.step);
    CHECK_EQ(push.cut, apply.freeze);
    CHECK_EQ(push.learning_rate, apply.learning_rate);
    CHECK_EQ(push.rank.value, apply.pushes.size());
    apply.pushes.push_back(push.token);
    rank.applied = apply.step;
    rank.pending.erase(rank.pending.begin());
  }
  CHECK_EQ(applied(), apply.step);               // of all ranks, and of none a later one
  if (cut_ && *cut_ <= apply.step) cut_.reset();
  return apply;
}

std::optional<ApplyStep> StepClock::next_single() {
  for (Rank& rank : ranks_) {
    if (!may_apply(rank)) continue;
    const PushInfo push = rank.pending.begin()->second;
    rank.pending.erase(rank.pending.begin());
    CHECK_EQ(push.step.value, rank.applied.value + 1);
    rank.applied = push.step;
    const bool freeze = cut_ && applied() >= *cut_;
    if (freeze) {
      CHECK_EQ(applied(), *cut_);                // no rank got past it
      cut_.reset();
    }
    return ApplyStep{push.step, push.learning_rate, {push.token}, freeze};
  }
  return std::nullopt;
}

// A rank asks for a step that it, or a faster one, has pushed, and what is pushed is at most a window ahead.
Status StepClock::wait(Step at_least, Token token) {
  const auto furthest = std::max_element(ranks_.begin(), ranks_.end(), [](const Rank& a, const Rank& b) {
                          return a.applied < b.applied;
                        })->applied;
  if (at_least.value > furthest.value + options_.window)
    return fail(Code::kInvalid, "a pull of at least step {}, but step {} is the last that is applied of any rank",
                at_least, furthest);
  if (waiting_.size() >= options_.waiting_max) return fail(Code::kOverloaded, "{} pulls wait already", waiting_.size());
  waiting_.emplace(at_least, token);
  return ok();
}

bool StepClock::forget(Token token) {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.second == token; });
  if (at == waiting_.end()) return false;
  waiting_.erase(at);
  return true;
}

std::vector<Token> StepClock::ready_pulls() {
  std::vector<Token> ready;
  const Step now = applied();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    ready.push_back(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
  std::sort(ready.begin(), ready.end());
  return ready;
}

}  // namespace dyad::ps
