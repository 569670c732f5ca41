#include "coordinator/core/leases.h"

#include <algorithm>
#include "common/base/check.h"
#include "common/base/digest.h"
#include "common/base/log.h"

namespace dyad::coordinator {
namespace {

std::string thousands(std::uint64_t n) {                          // 131413 -> "131,413"
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

wire::Lease as_message(const LeaseGranted& lease) {
  return {lease.id, lease.epoch, lease.first_batch, lease.end_batch};
}

}  // namespace

std::uint64_t Leases::step_base(std::uint64_t epoch) {
  while (base_.size() <= epoch) base_.push_back(base_.back() + plan_.batches(base_.size() - 1));
  return base_[epoch];
}

Place Leases::normalised(Place place) {
  return place.batch > 0 && place.batch >= plan_.batches(place.epoch) ? Place{place.epoch + 1, 0} : place;
}

Place Leases::at_step(Step step) {
  for (std::uint64_t epoch = 0;; ++epoch)
    if (step.value < step_base(epoch + 1) || epoch + 1 >= options_.epochs)
      return {epoch, step.value - step_base(epoch)};
}

std::uint64_t Leases::range_end(Place place) {
  const std::uint64_t base = step_base(place.epoch), done = base + place.batch;   // steps before this batch
  std::uint64_t end = plan_.batches(place.epoch);
  const auto next_multiple = [](std::uint64_t n, std::uint64_t of) { return (n / of + 1) * of; };
  if (options_.lease_batches > 0) end = std::min(end, next_multiple(place.batch, options_.lease_batches));
  if (options_.cut_steps > 0) end = std::min(end, next_multiple(done, options_.cut_steps) - base);
  if (options_.max_steps > 0) end = std::min(end, std::max(options_.max_steps, done) - base);
  return end;
}

Result<wire::Lease> Leases::acquire(WorkerRank rank, const wire::AcquireLease& ask, Entries& entries) {
  if (ask.epoch >= options_.epochs)
    return fail(Code::kInvalid, "worker {} asks for epoch {}, but train.epochs = {}", rank, ask.epoch, options_.epochs);
  if (const auto it = leases_.find({rank.value, ask.epoch, ask.first_batch});
      it != leases_.end() && it->second.granted.end_batch > ask.first_batch)
    return as_message(it->second.granted);
  Place next = frontier_[rank.value];
  if (ask.epoch == next.epoch + 1) next = normalised(next);
  if (Place{ask.epoch, ask.first_batch} != next)
    return fail(Code::kInvalid,
                "worker {} asks for epoch {} from batch {}, but its next is epoch {} batch {}: batches would be {}",
                rank, ask.epoch, ask.first_batch, next.epoch, next.batch,
                Place{ask.epoch, ask.first_batch} < next ? "doubled" : "skipped");
  const std::uint64_t end = range_end(next);
  if (end == next.batch) return wire::Lease{0, ask.epoch, end, end};              // finished
  CHECK_GT(end, next.batch);
  plan_.expect(next.epoch);
  entries.push_back(LeaseGranted{next_id_, rank, next.epoch, next.batch, end});
  apply(entries.back());
  CHECK(frontier_[rank.value] == (Place{next.epoch, end}));
  return as_message(std::get<LeaseGranted>(entries.back()));
}

Status Leases::complete(WorkerRank rank, const wire::CompleteLease& message, Entries& entries) {
  const auto id = by_id_.find(message.id);
  if (id == by_id_.end())
    return fail(Code::kStale, "worker {} completes lease {}, which was released: acquire a new one", rank, message.id);
  LeaseRecord& lease = leases_.at(id->second);
  const LeaseGranted& granted = lease.granted;
  if (granted.rank != rank)
    return fail(Code::kInvalid, "worker {} completes lease {} of worker {}", rank, message.id, granted.rank);
  const Sum sum{message.count, message.checksum};
  if (lease.done && lease.sum == sum) return ok();
  if (lease.done)
    return fail(Code::kInvalid, "worker {} completes lease {} again with {} samples (checksum {}), before with {} ({})",
                rank, message.id, sum.count, hex64(sum.checksum), lease.sum.count, hex64(lease.sum.checksum));
  if (message.end_batch <= granted.first_batch || message.end_batch > granted.end_batch)
    return fail(Code::kInvalid, "worker {} completes lease {} up to batch {}, which has batches {} to {}", rank,
                message.id, message.end_batch, granted.first_batch, granted.end_batch);
  const Sum expected = plan_.part(granted.epoch, granted.first_batch, message.end_batch, rank);
  if (sum != expected)                           // the audit will tell
    LOG_ERROR("worker {}, epoch {} batches {} to {}: reports {} samples (checksum {}), the plan has {} ({})", rank,
              granted.epoch, granted.first_batch, message.end_batch, sum.count, hex64(sum.checksum), expected.count,
              hex64(expected.checksum));
  entries.push_back(LeaseCompleted{message.id, message.end_batch, message.count, message.checksum});
  apply(entries.back());
  CHECK(lease.done && !open_.contains(id->second));
  audit(granted.epoch, entries);
  return ok();
}

void Leases::release(WorkerRank rank, Place from, Entries& entries) {
  entries.push_back(LeasesReleased{rank, from});
  apply(entries.back());
}

bool Leases::complete_before(Place place) const { return open_before(place).empty(); }

std::string Leases::open_before(Place place) const {
  for (const Key& key : open_) {
    const LeaseGranted& g = leases_.at(key).granted;
    if (Place{g.epoch, g.end_batch} <= place)
      return fmt::format("worker {}: epoch {}, batches {} to {}", g.rank, g.epoch, g.first_batch, g.end_batch);
  }
  return {};
}

bool Leases::covers(std::uint32_t rank, std::uint64_t epoch, std::uint64_t first, std::uint64_t end) const {
  while (first < end) {
    const auto it = leases_.find({rank, epoch, first});
    if (it == leases_.end() || !it->second.done) return false;
    if (it->second.granted.end_batch <= first) return false;   // a journal of before may say that it covers nothing
    first = it->second.granted.end_batch;
  }
  return first == end;
}

void Leases::audit(std::uint64_t epoch, Entries& entries) {
  const std::uint64_t batches = plan_.batches(epoch);
  const auto partly = audited_from_.find(epoch);
  const std::uint64_t from = partly == audited_from_.end() ? 0 : partly->second;
  for (std::uint32_t rank = 0; rank < options_.workers; ++rank)   // most leases are not the last of their epoch
    if (frontier_[rank] < Place{epoch, batches}) return;
  Sum sum, expected;
  for (std::uint32_t rank = 0; rank < options_.workers; ++rank) {
    if (!covers(rank, epoch, from, batches)) return;
    for (auto it = leases_.lower_bound({rank, epoch, from}); it != leases_.end() && it->first < Key{rank, epoch + 1, 0};
         ++it)
      sum.add(it->second.sum);
    if (from > 0) expected.add(plan_.part(epoch, from, batches, WorkerRank{rank}));
  }
  if (from == 0) expected = plan_.whole();
  EpochAudited result{epoch, sum.count, sum.checksum, sum == expected, {}};
  const std::string part = from == 0 ? "" : fmt::format(" from batch {} on", from);
  result.text =
      result.passed
          ? fmt::format("epoch {}: {} samples{}, each exactly once (checksum {})", epoch + 1, thousands(sum.count),
                        part, hex64(sum.checksum))
          : fmt::format("epoch {}: the audit{} failed: {} samples (checksum {}) were trained on, the log has {} ({})",
                        epoch + 1, part, thousands(sum.count), hex64(sum.checksum), thousands(expected.count),
                        hex64(expected.checksum));
  result.passed ? LOG_INFO("{}", result.text) : LOG_ERROR("{}", result.text);
  entries.push_back(std::move(result));
  apply(entries.back());
}

bool Leases::audit_failed() const {
  return std::any_of(audits_.begin(), audits_.end(), [](const auto& a) { return !a.second.passed; });
}

void Leases::forget(std::uint32_t rank, Place from) {
  for (auto it = leases_.lower_bound({rank, 0, 0}); it != leases_.end() && std::get<0>(it->first) == rank;) {
    const LeaseGranted& g = it->second.granted;
    const bool keep = Place{g.epoch, g.end_batch} <= from;
    if (!keep) by_id_.erase(g.id), open_.erase(it->first);
    it = keep ? std::next(it) : leases_.erase(it);
  }
  frontier_[rank] = from;
  if (from.batch > 0 && !covers(rank, from.epoch, 0, from.batch))
    audited_from_[from.epoch] = std::max(audited_from_[from.epoch], from.batch);
  audits_.erase(audits_.upper_bound(from.epoch), audits_.end());
  if (from.batch < plan_.batches(from.epoch)) audits_.erase(from.epoch);
}

void Leases::apply_run(const RunStarted& run) {
  if (run_workers_ && *run_workers_ != run.workers) {  // parts of batches are cut anew: old leases say nothing
    leases_.clear();
    by_id_.clear();
    open_.clear();
  }
  run_workers_ = run.workers;
  audited_from_.erase(audited_from_.upper_bound(run.next.epoch), audited_from_.end());
  if (run.next.batch == 0) audited_from_.erase(run.next.epoch);
  for (std::uint32_t rank = 0; rank < options_.workers; ++rank) forget(rank, run.next);
}

void Leases::apply_release(const LeasesReleased& released) {
  if (released.rank.value < options_.workers) forget(released.rank.value, released.from);
}

void Leases::apply(const Entry& entry) {
  if (const auto* run = std::get_if<RunStarted>(&entry)) {
    apply_run(*run);
  } else if (const auto* released = std::get_if<LeasesReleased>(&entry)) {
    apply_release(*released);
  } else if (const auto* granted = std::get_if<LeaseGranted>(&entry)) {
    if (granted->rank.value >= options_.workers) return;           // of a run with more workers
    const Key key{granted->rank.value, granted->epoch, granted->first_batch};
    CHECK(granted->first_batch < granted->end_batch);
    leases_[key] = {*granted, false, {}};
    open_.insert(key);
    by_id_[granted->id] = key;
    frontier_[granted->rank.value] = {granted->epoch, granted->end_batch};
    next_id_ = std::max(next_id_, granted->id + 1);
  } else if (const auto* completed = std::get_if<LeaseCompleted>(&entry)) {
    const auto id = by_id_.find(completed->id);
    if (id == by_id_.end()) return;
    LeaseRecord& lease = leases_.at(id->second);
    CHECK(lease.granted.first_batch <= completed->end_batch && completed->end_batch <= lease.granted.end_batch);
    lease.done = true;
    open_.erase(id->second);
    lease.sum = {completed->count, completed->checksum};
    Place& next = frontier_[lease.granted.rank.value];
    if (next == Place{lease.granted.epoch, lease.granted.end_batch}) next.batch = completed->end_batch;
    lease.granted.end_batch = completed->end_batch;
  } else if (const auto* audited = std::get_if<EpochAudited>(&entry)) {
    audits_[audited->epoch] = *audited;
  }
}

}  // namespace dyad::coordinator
