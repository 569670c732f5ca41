#include "ps/open_pulls.h"

#include <iterator>
#include "common/base/check.h"

namespace dyad::ps {

Result<std::optional<Token>> OpenPulls::ask(const PullName& name, Token token, double now_s) {
  if (name.rank.value >= bounds_.ranks)
    return fail(Code::kInvalid, "pull by worker {} of a job of {}: do all processes run the same configuration?",
                name.rank, bounds_.ranks);
  Incarnation& newest = newest_[name.rank.value];
  if (name.incarnation < newest)
    return fail(Code::kStale, "pull by incarnation {} of worker {}, whose place incarnation {} has taken",
                name.incarnation, name.rank, newest);
  newest = name.incarnation;
  if (const auto known = open_.find(name); known != open_.end()) {
    known->second.asked_s = now_s;
    return std::optional<Token>(known->second.token);
  }
  const auto first = open_.lower_bound({name.rank, name.incarnation, 0});
  const auto last = open_.upper_bound({name.rank, name.incarnation, ~0ull});
  if (static_cast<std::size_t>(std::distance(first, last)) >= bounds_.of_peer)
    return fail(Code::kOverloaded, "worker {} has {} pulls open already", name.rank, bounds_.of_peer);
  open_.emplace(name, Open{token, now_s});
  CHECK(names_.emplace(token, name).second);
  return std::optional<Token>();
}

void OpenPulls::close(Token token) {
  const auto at = names_.find(token);
  if (at == names_.end()) return;
  open_.erase(at->second);
  names_.erase(at);
}

std::vector<Token> OpenPulls::expire(double now_s) {
  std::vector<Token> gone;
  for (const auto& [name, open] : open_)
    if (name.incarnation < newest_[name.rank.value] || now_s - open.asked_s > bounds_.expire_s)
      gone.push_back(open.token);
  for (const Token token : gone) close(token);
  return gone;
}

}  // namespace dyad::ps
