#pragma once
// Who takes part: servers by id, workers by rank. Tools ask and report without registering. A pure core: time is an
// argument, changes leave as entries.
//
// Generations. All processes of a run live in one generation. When one of them registers anew (it was restarted) or
// falls silent for dead_after_ms, the next generation begins: the others are told kRestart at their next heartbeat,
// register again, and start from the last committed cut. The routing epoch is the generation, so nobody mixes the two
// worlds. A Register sent twice (its answer was lost) carries the same nonce and changes nothing; one of an earlier
// start is stale.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>
#include "common/base/clock.h"
#include "common/data/identity.h"
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

struct MembershipOptions {
  std::uint32_t servers = 1, workers = 1;
  std::uint64_t config_digest = 0;
  data::Identity::Parts data;            // that every worker must hold
  Millis dead_after_ms = 15000;
};

struct Member {
  MemberJoined joined;
  Millis heard_ms = 0;
  wire::Heartbeat last;                  // state, step, metrics
  bool dead = false, left = false;
  std::string reason;                    // of leaving: "done", ...
};

using MemberName = std::pair<wire::Role, std::uint32_t>;
std::string member_name(MemberName name);                        // "worker 1"

class Membership {
 public:
  explicit Membership(const MembershipOptions& options) : options_(options) {}

  // kInvalid: a tool, another configuration, a worker with other data or other tables than the run's, an id that is not
  // below the configured count, a server without an address.
  Result<MemberJoined> register_(const wire::Sender& sender, const wire::Register& message, Millis now,
                                 Entries& entries);
  // kStale: not the incarnation that is registered now (or not registered at all).
  Status check(const wire::Sender& sender) const;
  Result<wire::Command> heartbeat(const wire::Sender& sender, const wire::Heartbeat& message, Millis now);
  Status goodbye(const wire::Sender& sender, const std::string& reason, Entries& entries);
  // Finds the dead. A gap in which the coordinator itself did not run is not held against anybody.
  void tick(Millis now, Entries& entries);
  void stop() { stopping_ = true; }      // from now on servers are told kStop

  bool all_workers_left() const;         // each said "done" or "stopped" in this generation
  bool all_servers_left() const;
  // kNotFound until every server of this generation is there: ask again. Without tables while no worker has said them.
  Result<wire::Routing> routing(std::uint32_t groups) const;
  std::uint64_t generation() const { return generation_; }
  const Tables& tables() const { return tables_; }               // of the run; none until a worker has said them
  const std::map<MemberName, Member>& members() const { return members_; }

  void apply(const Entry& entry, Millis now);

 private:
  bool takes_part(const Member& member) const;                   // servers and workers of this generation
  Status check_register(const wire::Sender& sender, const wire::Register& message) const;
  Status check_worker(const wire::Sender& sender, const wire::Register& message) const;
  void begin_generation(std::string why, Millis now, Entries& entries);
  MembershipOptions options_;
  std::map<MemberName, Member> members_;
  std::map<MemberName, Incarnation> incarnations_;               // the last ones, over all runs
  std::set<std::pair<MemberName, std::uint64_t>> nonces_;        // of every start, so that a late Register is known
  Tables tables_;
  std::uint64_t generation_ = 1;
  Millis ticked_ms_ = 0;
  bool stopping_ = false;
};

}  // namespace dyad::coordinator
