#include "tools/baseline/popularity.h"
#include <vector>
#include "common/data/samples.h"

namespace dyad::baseline {

Ranking rank_by_popularity(const data::Dataset& dataset, data::Split split) {
  std::vector<float> count(dataset.items());
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const auto sequence = dataset.sequence(UserId{u});
    const std::size_t n = sequence.size() >= 3 ? sequence.size() - 2 : sequence.size();
    for (std::size_t i = 0; i < n; ++i) ++count[sequence[i].value];
  }
  Ranking out;
  for (const data::Sample& sample : data::samples(dataset, split))
    out.add(rank_of(count, dataset.sequence(sample.user)[sample.target].value));
  return out;
}

}  // namespace dyad::baseline
