#include "coordinator/core/cuts.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include "common/base/check.h"
#include "coordinator/core/membership.h"

namespace dyad::coordinator {
namespace {

Result<std::uint64_t> number_fact(const wire::CutPart& part, const std::string& name) {
  const auto it = part.facts.find(name);
  std::uint64_t value = 0;
  if (it != part.facts.end()) {
    const char* end = it->second.data() + it->second.size();
    const auto [stop, error] = std::from_chars(it->second.data(), end, value);
    if (error == std::errc() && stop == end && !it->second.empty()) return value;
  }
  return fail(Code::kInvalid, "worker 0's part of cut {} has no number \"{}\" among its facts", part.step, name);
}

bool stays_inside(const std::string& path) {
  const std::filesystem::path p(path);
  return !path.empty() && p.is_relative() && p.lexically_normal().string() == path && *p.begin() != "..";
}

}  // namespace

Status Cuts::check_files(const PendingCut& cut, const wire::Sender& sender, const wire::CutPart& part) const {
  std::set<std::string> taken;
  for (const auto& [id, files] : cut.servers)
    if (sender.role != wire::Role::kServer || id != sender.id)
      for (const wire::FilePart& file : files) taken.insert(file.path);
  if (sender.role != wire::Role::kWorker)
    for (const wire::FilePart& file : cut.worker) taken.insert(file.path);
  for (const wire::FilePart& file : part.files) {
    const std::string name = member_name({sender.role, sender.id});
    if (!stays_inside(file.path))
      return fail(Code::kInvalid, "{}, cut {}: \"{}\" is no path inside the checkpoint", name, part.step, file.path);
    if (!taken.insert(file.path).second)
      return fail(Code::kInvalid, "{}, cut {}: somebody else wrote {} too", name, part.step, file.path);
  }
  return ok();
}

Status Cuts::check_sender(const wire::Sender& sender) {
  const bool rank_0 = sender.role == wire::Role::kWorker && sender.id == 0;
  if (rank_0 || sender.role == wire::Role::kServer) return ok();
  return fail(Code::kInvalid, "{} has no part in a cut: servers and worker 0 have",
              member_name({sender.role, sender.id}));
}

Status Cuts::add_part(const wire::Sender& sender, const wire::CutPart& part) {
  const bool worker = sender.role == wire::Role::kWorker;
  CHECK(!was_committed(part.step) && given_up(part.step).empty());
  PendingCut none{.step = part.step};
  const auto known = pending_.find(part.step);
  DYAD_TRYV(check_files(known == pending_.end() ? none : known->second, sender, part));
  Place next;
  if (worker) {
    DYAD_TRY(epoch, number_fact(part, "epoch"));
    DYAD_TRY(batch, number_fact(part, "next_batch"));
    next = {epoch, batch};
  }
  PendingCut& cut = pending_.try_emplace(part.step, none).first->second;
  if (worker) {
    cut.worker = part.files;
    cut.facts = part.facts;
    cut.next = next;
    cut.worker_came = true;
  } else {
    cut.servers[sender.id] = part.files;
  }
  for (; pending_.size() > kPendingCutsMax; ++failed_) pending_.erase(pending_.begin());
  CHECK(pending_.empty() || pending_.begin()->first > last());   // none waits for what is committed already
  return ok();
}

std::string Cuts::given_up(Step step) const {
  if (was_committed(step)) return {};             // its last sender may not know yet, however soon it was replaced
  if (const auto it = given_up_.find(step); it != given_up_.end()) return it->second;
  return step < last() ? fmt::format("cut {} is committed already", last()) : "";
}

void Cuts::give_up(Step step, std::string why, Entries& entries) {
  CHECK(!was_committed(step));
  entries.push_back(CutGivenUp{step, std::move(why)});
  apply(entries.back());
  ++failed_;                                      // not in apply: a replay is no new failure
}

std::vector<const PendingCut*> Cuts::complete() const {
  std::vector<const PendingCut*> found;
  for (const auto& [step, cut] : pending_)
    if (cut.worker_came && cut.servers.size() == options_.servers) found.push_back(&cut);
  return found;
}

std::string Cuts::missing() const {
  if (pending_.empty()) return {};
  const PendingCut& cut = pending_.begin()->second;
  std::string names;
  for (std::uint32_t id = 0; id < options_.servers; ++id)
    if (!cut.servers.count(id)) names += fmt::format("{}server {}", names.empty() ? "" : ", ", id);
  if (!cut.worker_came) names += fmt::format("{}worker 0", names.empty() ? "" : ", ");
  return names;
}

void Cuts::commit(const PendingCut& cut, std::string folder, std::uint64_t manifest, Entries& entries) {
  CHECK(cut.worker_came);
  CHECK_EQ(cut.servers.size(), std::size_t{options_.servers});
  CHECK_GT(cut.step, last());
  entries.push_back(CutCommitted{cut.step, cut.next, std::move(folder), cut.facts, manifest});
  apply(entries.back());
}

std::vector<OldCut> Cuts::to_remove(Step best, const std::set<Step>& evaluated) const {
  std::vector<OldCut> old;
  std::size_t left = committed_.size(), waiting = 0;
  for (const auto& [step, cut] : committed_) waiting += evaluated.count(step) == 0;
  for (const auto& [step, cut] : committed_) {
    if (left-- <= options_.keep) break;
    if (step == best) continue;
    const bool waits = options_.unevaluated_max > 0 && evaluated.count(step) == 0;
    if (waits && waiting <= options_.unevaluated_max) continue;
    if (waits) --waiting;
    old.push_back({step, waits});
  }
  return old;
}

void Cuts::removed(Step step, Entries& entries) {
  CHECK(is_committed(step));
  entries.push_back(CutRemoved{step});
  apply(entries.back());
}

void Cuts::apply(const Entry& entry) {
  if (const auto* run = std::get_if<RunStarted>(&entry)) {
    given_up_.clear();
    all_given_up_ = {};
    pending_.clear();                                             // what lies beyond the resumed cut was not valid
    committed_.erase(committed_.upper_bound(run->resume), committed_.end());
    removed_.erase(removed_.upper_bound(run->resume), removed_.end());
  } else if (std::holds_alternative<GenerationBegan>(entry)) {
    failed_ += pending_.size();
    pending_.clear();
    given_up_.clear();                                            // it comes to these steps again
  } else if (const auto* cut = std::get_if<CutCommitted>(&entry)) {
    committed_[cut->step] = *cut;
    pending_.erase(cut->step);
    for (; !pending_.empty() && pending_.begin()->first < cut->step; ++failed_) pending_.erase(pending_.begin());
  } else if (const auto* given_up = std::get_if<CutGivenUp>(&entry)) {
    pending_.erase(given_up->step);
    given_up_[given_up->step] = given_up->why;
    ++all_given_up_.count;
    all_given_up_.last = *given_up;
  } else if (const auto* removed = std::get_if<CutRemoved>(&entry)) {
    if (committed_.erase(removed->step) > 0) removed_.insert(removed->step);
  }
}

}  // namespace dyad::coordinator
