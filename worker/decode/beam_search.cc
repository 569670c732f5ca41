#include "worker/decode/beam_search.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace dyad::worker {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

void sort_and_cut(std::vector<Candidate>& list, std::size_t top) {
  std::sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
  });
  if (list.size() > top) list.resize(top);
}

}  // namespace

BeamSearch::BeamSearch(Eager& model, const RowTables& rows, std::array<const data::Trie*, 2> tries,
                       const BeamOptions& options)
    : decoder_(model, rows, tries), options_(options) {}

// The union of both streams' items, by item.
std::vector<Candidate> BeamSearch::candidates(std::uint32_t user, const Found& found) const {
  std::vector<Candidate> all;
  for (int s = 0; s < 2; ++s)
    for (const ScoredItem& x : found[s][user]) {
      Candidate c{.item = x.item, .log_p = {kUnknown, kUnknown}};
      c.log_p[s] = x.log_p;
      c.found[s] = true;
      all.push_back(c);
    }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.item < b.item; });
  std::vector<Candidate> merged;
  for (const Candidate& c : all) {
    if (merged.empty() || merged.back().item != c.item) merged.push_back(c);
    else merged.back().log_p[1] = c.log_p[1], merged.back().found[1] = true;      // stable: behaviour came first
  }
  return merged;
}

void BeamSearch::rank_by_own(std::uint32_t user, const Found& found, Recommendation& out) const {
  out.by_own = candidates(user, found);
  for (Candidate& c : out.by_own) c.score = std::fmax(c.log_p[0], c.log_p[1]);    // fmax leaves NaN out
  sort_and_cut(out.by_own, options_.top);
}

void BeamSearch::score_known(std::uint32_t user, std::array<StreamSearch, 2>& search, std::vector<Candidate>& list,
                             std::array<std::vector<UserItem>, 2>& ask) const {
  std::vector<double> exact;
  std::vector<std::pair<Candidate, int>> open;               // and the stream that does not know it yet
  std::vector<Candidate> known;
  for (Candidate c : list) {
    const int other = c.found[0] ? 1 : 0;
    const auto bound = c.found[other] ? StreamSearch::Bound{c.log_p[other], true} : search[other].bound({user, c.item});
    c.score = c.log_p[1 - other] + bound.log_p;
    if (!bound.exact) { open.emplace_back(c, other); continue; }
    c.log_p[other] = bound.log_p;
    exact.push_back(c.score);
    known.push_back(c);
  }
  double enough = -std::numeric_limits<double>::infinity();  // the n-th best sum that is certain
  if (exact.size() >= options_.top) {
    std::nth_element(exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(options_.top - 1), exact.end(),
                     std::greater<>());
    enough = exact[options_.top - 1];
  }
  for (const auto& [c, other] : open) {
    if (c.score < enough) continue;
    ask[other].push_back({user, c.item});
    known.push_back(c);
  }
  list = std::move(known);
}

std::vector<Recommendation> BeamSearch::run(std::span<const std::vector<ItemId>> histories,
                                             std::span<const std::vector<ItemId>> dropped) const {
  const auto users = static_cast<std::uint32_t>(histories.size());
  std::vector<Recommendation> out(users);
  if (users == 0) return out;
  const UserMemory memory = decoder_.encode(histories);
  std::array<StreamSearch, 2> search{StreamSearch(decoder_, 0, memory, users),
                                     StreamSearch(decoder_, 1, memory, users)};
  const Found found{search[0].run(options_.beams, dropped), search[1].run(options_.beams, dropped)};
  std::array<std::vector<UserItem>, 2> ask;
  for (std::uint32_t u = 0; u < users; ++u) {
    rank_by_own(u, found, out[u]);
    for (int s = 0; s < 2; ++s)
      out[u].stream[s].assign(found[s][u].begin(), found[s][u].begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                             options_.top, found[s][u].size())));
    out[u].by_sum = candidates(u, found);
    score_known(u, search, out[u].by_sum, ask);
  }
  for (int s = 0; s < 2; ++s) search[s].expand(ask[s]);
  for (std::uint32_t u = 0; u < users; ++u) {
    for (Candidate& c : out[u].by_sum)
      for (int s = 0; s < 2; ++s)
        if (std::isnan(c.log_p[s])) {
          c.log_p[s] = search[s].bound({u, c.item}).log_p;
          c.score = c.log_p[0] + c.log_p[1];
        }
    sort_and_cut(out[u].by_sum, options_.top);
  }
  return out;
}

}  // namespace dyad::worker
