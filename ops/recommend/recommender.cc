#include "ops/recommend/recommender.h"

#include <algorithm>

namespace dyad::ops {

Recommender::Recommender(const worker::LoadedModel& loaded, std::size_t top)
    : loaded_(loaded),
      search_(*loaded.model, {loaded.tables[0], {loaded.tables[1], loaded.tables[2]}}, loaded.data.trie_views(),
              {std::max<std::size_t>(loaded.config.eval.beams, top), top}) {}

std::vector<Answer> Recommender::answer(const std::vector<Asked>& asked, bool drop_seen) const {
  std::vector<std::vector<ItemId>> histories, dropped;
  for (const Asked& one : asked) {
    const std::size_t shown = std::min<std::size_t>(one.items.size(), loaded_.config.model.history);
    histories.emplace_back(one.items.end() - static_cast<std::ptrdiff_t>(shown), one.items.end());
    if (drop_seen) dropped.push_back(one.items);
  }
  const auto found = search_.run(histories, dropped);
  std::vector<Answer> out;
  for (std::size_t i = 0; i < asked.size(); ++i)
    out.push_back({asked[i], histories[i], found[i].ranked(loaded_.config.eval.rank)});
  return out;
}

}  // namespace dyad::ops
