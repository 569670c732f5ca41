#pragma once
// The pulls of a server that are not answered yet: each is known by who asked and its number, so that one that is asked
// again is not computed twice; bounded per peer, and gone when its peer is. A pure core: time is an argument. Threads:
// one.
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "ps/step_clock.h"

namespace dyad::ps {

struct PullName {
  WorkerRank rank;
  Incarnation incarnation;
  std::uint64_t number = 0;                      // of the request
  auto operator<=>(const PullName&) const = default;
};

class OpenPulls {
 public:
  struct Bounds {
    std::uint32_t ranks = 1;
    std::size_t of_peer = 8;                     // a row client has the pieces of one, and for a time of one given up
    double expire_s = 120;                       // not asked again for so long: a client that waits asks every 16 s
  };
  explicit OpenPulls(const Bounds& bounds) : bounds_(bounds), newest_(bounds.ranks) {}

  // Opens the pull under `token`, or, if it is open already, says under which one. kInvalid: no such rank. kStale:
  // another incarnation has taken its place. kOverloaded: the peer has too many open.
  Result<std::optional<Token>> ask(const PullName& name, Token token, double now_s);
  void close(Token token);
  // Closes and returns what nobody waits for: of peers whose place was taken, or that do not ask any more.
  std::vector<Token> expire(double now_s);
  std::size_t size() const { return open_.size(); }

 private:
  struct Open {
    Token token = 0;
    double asked_s = 0;
  };
  Bounds bounds_;
  std::vector<Incarnation> newest_;              // [ranks]
  std::map<PullName, Open> open_;
  std::map<Token, PullName> names_;
};

}  // namespace dyad::ps
