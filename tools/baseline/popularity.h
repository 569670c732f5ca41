#pragma once
// The simplest baseline: every user gets the items that the training part holds most often. Threads: pure function.
#include "common/data/dataset.h"
#include "common/data/samples.h"
#include "tools/baseline/ranking.h"

namespace dyad::baseline {

Ranking rank_by_popularity(const data::Dataset& dataset, data::Split split);

}  // namespace dyad::baseline
