#include "coordinator/core/membership.h"

#include <algorithm>
#include "common/base/log.h"
#include "common/wire/codec.h"

namespace dyad::coordinator {

using wire::Role;

std::string member_name(MemberName name) { return fmt::format("{} {}", role_name(name.first), name.second); }

bool Membership::takes_part(const Member& member) const {
  return member.joined.generation == generation_;
}

Status Membership::check_register(const wire::Sender& sender, const wire::Register& message) const {
  const std::string name = member_name({sender.role, sender.id});
  const bool server = sender.role == Role::kServer;
  if (!server && sender.role != Role::kWorker)
    return fail(Code::kInvalid, "{} registers; only servers and workers take part in a job", name);
  if (message.config_digest != options_.config_digest)           // no digests: a stranger could register with them
    return fail(Code::kInvalid,
                "{} on {} runs another configuration than the coordinator's: start both from the same file and --set",
                name, message.host);
  const std::uint32_t count = server ? options_.servers : options_.workers;
  if (sender.id >= count)
    return fail(Code::kInvalid, "{} cannot register: {} = {}, so ids are 0 to {}", name,
                server ? "servers.count" : "train.workers", count, count - 1);
  if (server && message.address.empty())
    return fail(Code::kInvalid, "{} registers without an address to serve at", name);
  return sender.role == Role::kWorker ? check_worker(sender, message) : ok();
}

// Servers know keys and rows alone; what these mean is the workers' and the coordinator's.
Status Membership::check_worker(const wire::Sender& sender, const wire::Register& message) const {
  const std::string name = member_name({sender.role, sender.id});
  const std::string others = data::differing_names(message.data, options_.data);
  if (!others.empty())
    return fail(Code::kInvalid,
                "{} on {} holds other data than the coordinator: {}; give every process the same dataset folder "
                "(job.data): copy the coordinator's to {}, or mount it there",
                name, message.host, others, message.host);
  if (message.tables.empty())
    return fail(Code::kInvalid, "{} on {} says no tables: run the same build everywhere", name, message.host);
  const std::string other = tables_.empty() ? "" : first_difference(message.tables, tables_);
  if (!other.empty())
    return fail(Code::kInvalid, "{} on {} trains other tables than this run has: {}; run the same build everywhere",
                name, message.host, other);
  return ok();
}

void Membership::begin_generation(std::string why, Millis now, Entries& entries) {
  entries.push_back(GenerationBegan{generation_ + 1, std::move(why)});
  apply(entries.back(), now);
}

Result<MemberJoined> Membership::register_(const wire::Sender& sender, const wire::Register& message, Millis now,
                                           Entries& entries) {
  DYAD_TRYV(check_register(sender, message));
  const MemberName name{sender.role, sender.id};
  const std::uint64_t nonce = sender.incarnation.value;
  const auto known = members_.find(name);
  if (known != members_.end() && nonce != 0 && known->second.joined.nonce == nonce)
    return known->second.joined;
  if (nonces_.count({name, nonce}))
    return fail(Code::kStale, "{}: a Register of an earlier start came late; a newer process took its place",
                member_name(name));
  if (known != members_.end() && takes_part(known->second) && !stopping_)
    begin_generation(fmt::format("{} was restarted", member_name(name)), now, entries);
  if (sender.role == Role::kWorker && tables_.empty()) {
    entries.push_back(TablesSaid{message.tables});
    apply(entries.back(), now);
  }
  entries.push_back(MemberJoined{sender.role, sender.id, Incarnation{incarnations_[name].value + 1}, nonce, generation_,
                                 message.address, message.host, message.pid});
  apply(entries.back(), now);
  return members_[name].joined;
}

Status Membership::check(const wire::Sender& sender) const {
  const auto it = members_.find({sender.role, sender.id});
  const std::string name = member_name({sender.role, sender.id});
  if (it == members_.end()) return fail(Code::kStale, "{} is not registered in this run: register first", name);
  if (it->second.joined.incarnation == sender.incarnation) return ok();
  return fail(Code::kStale, "{} incarnation {} is not the registered one ({}): another process took its place; stop",
              name, sender.incarnation, it->second.joined.incarnation);
}

Result<wire::Command> Membership::heartbeat(const wire::Sender& sender, const wire::Heartbeat& message, Millis now) {
  DYAD_TRYV(check(sender));
  Member& member = members_[{sender.role, sender.id}];
  member.heard_ms = now;
  member.last = message;
  if (member.left) return wire::Command::kNone;
  if (stopping_) return sender.role == Role::kServer ? wire::Command::kStop : wire::Command::kNone;
  return member.joined.generation < generation_ ? wire::Command::kRestart : wire::Command::kNone;
}

Status Membership::goodbye(const wire::Sender& sender, const std::string& reason, Entries& entries) {
  DYAD_TRYV(check(sender));
  if (members_[{sender.role, sender.id}].left) return ok();
  entries.push_back(MemberLeft{sender.role, sender.id, reason});
  apply(entries.back(), members_[{sender.role, sender.id}].heard_ms);
  return ok();
}

void Membership::tick(Millis now, Entries& entries) {
  const Millis gap = ticked_ms_ == 0 ? 0 : now - ticked_ms_;
  ticked_ms_ = now;
  if (gap > options_.dead_after_ms / 4)
    for (auto& [name, member] : members_) member.heard_ms = std::min(now, member.heard_ms + gap);
  std::vector<MemberName> lost;
  for (auto& [name, member] : members_) {
    if (member.left || member.dead || now < member.heard_ms + options_.dead_after_ms) continue;
    member.dead = true;
    if (takes_part(member) && !stopping_) lost.push_back(name);
  }
  if (lost.empty()) return;
  std::string names;
  for (const MemberName& name : lost) names += (names.empty() ? "" : ", ") + member_name(name);
  LOG_ERROR("{}: silent for {} ms, taken for dead", names, options_.dead_after_ms);
  begin_generation(names + " fell silent", now, entries);
}

bool Membership::all_workers_left() const {
  for (std::uint32_t rank = 0; rank < options_.workers; ++rank) {
    const auto it = members_.find({Role::kWorker, rank});
    if (it == members_.end() || !takes_part(it->second) || !it->second.left) return false;
    if (it->second.reason != "done" && it->second.reason != "stopped") return false;
  }
  return true;
}

bool Membership::all_servers_left() const {
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& m) { return m.first.first != Role::kServer || m.second.left || m.second.dead; });
}

Result<wire::Routing> Membership::routing(std::uint32_t groups) const {
  wire::Routing routing;
  routing.epoch = RoutingEpoch{generation_};
  std::string missing;
  for (std::uint32_t id = 0; id < options_.servers; ++id) {
    const auto it = members_.find({Role::kServer, id});
    if (it == members_.end() || !takes_part(it->second) || it->second.left) {
      missing += fmt::format("{}{}", missing.empty() ? "" : ", ", id);
      continue;
    }
    routing.server_address.push_back(it->second.joined.address);
    routing.server_incarnation.push_back(it->second.joined.incarnation.value);
  }
  if (!missing.empty())
    return fail(Code::kNotFound, "not yet: {} of {} servers registered, waiting for server {}",
                routing.server_address.size(), options_.servers, missing);
  for (std::uint64_t group = 0; group < groups; ++group)            // contiguous runs, sizes differ by at most one
    routing.group_server.push_back(static_cast<std::uint32_t>(group * options_.servers / groups));
  for (std::uint32_t rank = 0; rank < options_.workers; ++rank) {
    const auto it = members_.find({Role::kWorker, rank});
    const bool here = it != members_.end() && takes_part(it->second);
    routing.worker_incarnation.push_back(here ? it->second.joined.incarnation.value : 0);
  }
  routing.tables = tables_;
  return routing;
}

void Membership::apply(const Entry& entry, Millis now) {
  if (const auto* run = std::get_if<RunStarted>(&entry)) {
    members_.clear();
    tables_ = run->tables;
    ++generation_;
  } else if (const auto* said = std::get_if<TablesSaid>(&entry)) {
    tables_ = said->tables;
  } else if (const auto* began = std::get_if<GenerationBegan>(&entry)) {
    generation_ = began->generation;
  } else if (const auto* joined = std::get_if<MemberJoined>(&entry)) {
    const MemberName name{joined->role, joined->id};
    incarnations_[name] = joined->incarnation;
    if (joined->nonce != 0) nonces_.insert({name, joined->nonce});
    members_[name] = Member{.joined = *joined, .heard_ms = now};
    members_[name].last.state = "starting";
  } else if (const auto* left = std::get_if<MemberLeft>(&entry)) {
    Member& member = members_[{left->role, left->id}];
    member.left = true;
    member.reason = left->reason;
  }
}

}  // namespace dyad::coordinator
