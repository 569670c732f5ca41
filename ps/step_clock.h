#pragma once
// Steps are the clock: decides when a push is applied and when a pull may be answered. A pure core: knows steps and
// tokens, no rows, no sockets, no time. Its three settings are one mechanism:
//   sync   step t is applied once every rank's push of t is there, all of them together, in rank order
//   ssp    a push is applied when it arrives, per rank in the order of its steps; how stale a pull may be is the
//   puller's
//          choice by `at_least` (t-1-s), which is measured against the slowest rank
//   async  as ssp, with pulls that ask for step 0
// A push with `cut` freezes the tables right after its step is applied from every rank, and before any later step is.
// Threads: one.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"

namespace dyad::ps {

enum class Mode { kSync, kSsp, kAsync };
Result<Mode> parse_mode(const std::string& name);                  // train.mode of the configuration

struct ClockOptions {
  Mode mode = Mode::kSync;
  std::uint32_t ranks = 1;
  std::uint32_t window = 64;  // steps that a rank may run ahead of what is applied of it
  std::size_t waiting_max = 1024;                                  // pulls that wait at once
  Step start;                                                      // everything up to here is applied (a loaded cut)
};

using Token = std::uint64_t;                                       // the caller's name for a push or a pull

struct PushInfo {
  WorkerRank rank;
  Incarnation incarnation;
  Step step;
  float learning_rate = 0;
  bool cut = false;
  Token token = 0;
};

struct ApplyStep {                                                 // "apply these now"
  Step step;
  float learning_rate = 0;
  std::vector<Token> pushes;                                       // in rank order
  bool freeze = false;                                             // and freeze right after them
};

class StepClock {
 public:
  explicit StepClock(const ClockOptions& options);

  enum class Verdict { kAccepted, kDuplicate };
  // kStale: an older incarnation, or a new one that resumes before what is applied. kOverloaded: beyond the window.
  // kInvalid: no such rank, ranks that disagree about a step, or a step pushed past a cut that is still open.
  Result<Verdict> push(const PushInfo& push);
  // The next step to apply; call until empty after an accepted push.
  std::optional<ApplyStep> next();

  // The last step applied from every rank. A pull of at_least <= applied() may be answered.
  Step applied() const;
  // Holds a pull until applied() >= at_least. kOverloaded: too many wait. kInvalid: no rank can be there.
  Status wait(Step at_least, Token token);
  bool forget(Token token);                                        // a pull that is no longer wanted; whether it waited
  std::vector<Token> ready_pulls();  // those that may be answered now, oldest first; removed
  std::size_t held() const;                                        // pushes accepted and not yet applied
  std::vector<Token> dropped() {
    return std::exchange(dropped_, {});
  }  // held pushes of a replaced incarnation, since the last call

 private:
  struct Rank {
    Incarnation incarnation;
    Step applied;
    std::map<Step, PushInfo> pending;
  };
  Status check_incarnation(Rank& rank, const PushInfo& push);
  Status check_agreement(const PushInfo& push) const;
  bool may_apply(const Rank& rank) const;
  std::optional<ApplyStep> next_sync();
  std::optional<ApplyStep> next_single();

  ClockOptions options_;
  std::vector<Rank> ranks_;
  std::optional<Step> cut_;                                        // known, and not yet frozen
  std::multimap<Step, Token> waiting_;
  std::vector<Token> dropped_;                                     // of a rank's former incarnation
};

}  // namespace dyad::ps
