#include "tools/prepare/import/order.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include "common/base/digest.h"
#include "common/base/random.h"

namespace dyad::importer {
namespace {

std::vector<std::uint64_t> digests_of(const Interner& keys) {
  std::vector<std::uint64_t> out;
  for (std::uint32_t i = 0; i < keys.size(); ++i) out.push_back(digest64(keys.key(i)));
  return out;
}

class TieShuffle {
 public:
  TieShuffle(std::vector<Row>& rows, const Interner& users, const Interner& items, std::uint64_t seed)
      : rows_(rows), users_(digests_of(users)), items_(digests_of(items)), seed_(seed) {}
  // Rows [begin, end) of one time: each user's among the places that they have.
  void shuffle(std::size_t begin, std::size_t end) {
    places_.resize(end - begin);
    std::iota(places_.begin(), places_.end(), begin);
    std::stable_sort(places_.begin(), places_.end(),
                     [&](std::size_t a, std::size_t b) { return rows_[a].user < rows_[b].user; });
    for (std::size_t from = 0, to = 0; from < places_.size(); from = to) {
      while (to < places_.size() && rows_[places_[to]].user == rows_[places_[from]].user) ++to;
      shuffle_user(std::span(places_).subspan(from, to - from));
    }
  }

 private:
  void shuffle_user(std::span<const std::size_t> places) {
    group_.clear();
    for (const std::size_t place : places) group_.push_back(rows_[place]);
    if (std::any_of(group_.begin(), group_.end(), [](const Row& row) { return !row.is_timed; })) return;
    std::stable_sort(group_.begin(), group_.end(), [&](const Row& a, const Row& b) { return draw(a) < draw(b); });
    for (std::size_t i = 0; i < places.size(); ++i) rows_[places[i]] = group_[i];
  }
  std::uint64_t draw(const Row& row) const { return mix64(seed_, users_[row.user], items_[row.item]); }

  std::vector<Row>& rows_;
  std::vector<std::uint64_t> users_, items_;
  std::uint64_t seed_;
  std::vector<std::size_t> places_;
  std::vector<Row> group_;
};

}  // namespace

void order_by_time(std::vector<Row>& rows) {
  const auto earlier = [](const Row& a, const Row& b) { return a.sort_time() < b.sort_time(); };
  if (!std::is_sorted(rows.begin(), rows.end(), earlier)) std::stable_sort(rows.begin(), rows.end(), earlier);
}

std::uint64_t repeated_rows(std::vector<Row>& rows, bool drop) {
  std::vector<std::size_t> places;
  places.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) if (rows[i].is_timed) places.push_back(i);
  const auto same = [&](std::size_t at) {
    return std::tie(rows[at].user, rows[at].item, rows[at].sort_s, rows[at].sort_ns);
  };
  std::sort(places.begin(), places.end(),
            [&](std::size_t a, std::size_t b) { return same(a) != same(b) ? same(a) < same(b) : a < b; });
  std::vector<bool> again(rows.size());
  std::uint64_t count = 0;
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (same(places[i]) != same(places[i - 1])) continue;
    again[places[i]] = true;
    ++count;
  }
  if (drop) {
    std::size_t at = 0;
    std::erase_if(rows, [&](const Row&) { return again[at++]; });
  }
  return count;
}

void shuffle_ties(std::vector<Row>& rows, const Interner& users, const Interner& items, std::uint64_t seed) {
  TieShuffle ties(rows, users, items, seed);
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    while (end < rows.size() && rows[end].sort_time() == rows[begin].sort_time()) ++end;
    if (end - begin > 1) ties.shuffle(begin, end);
  }
}

Ties count_ties(const std::vector<Row>& rows, std::size_t users) {
  Ties ties;
  std::vector<Time> last(users);
  std::vector<bool> tied(users);
  for (const Row& row : rows) {
    tied[row.user] = row.is_timed && row.sort_time() == last[row.user];
    ties.rows += tied[row.user];
    last[row.user] = row.is_timed ? row.sort_time() : Time{};
  }
  ties.last = static_cast<std::uint64_t>(std::count(tied.begin(), tied.end(), true));
  return ties;
}

}  // namespace dyad::importer
