#pragma once
// What the behaviour encoder may see of a dataset: each user's training part, and, to measure only, the item that
// follows it.
// Threads: plain data.
#include <cstdint>
#include <utility>
#include <vector>
#include "common/data/dataset.h"
#include "common/io/matrix.h"

namespace dyad::encode {

struct Histories {
  std::size_t items = 0;
  std::vector<std::vector<std::uint32_t>> train;                        // a user each, oldest first
  std::vector<std::pair<std::uint32_t, std::uint32_t>> next;            // last training item -> validation item
};

Histories histories_of(const data::Dataset& dataset);

// How often the validation item is among the `k` nearest neighbours (cosine of centred rows) of the last training item,
// itself left out. The measure by which behaviour vectors are compared here.
// Of more than kRecallUsers pairs, a sample of so many: a figure for people to read, and all users against all items
// would cost an hour where there are a million of each. The sample depends on the number of pairs alone, so that the
// figures of one log compare; its standard error is at most .007.
inline constexpr std::size_t kRecallUsers = 5000;
double neighbour_recall(const io::Matrix& vectors, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs,
                        std::size_t k, unsigned threads);

}  // namespace dyad::encode
