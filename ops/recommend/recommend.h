#pragma once
// Items for one history, from a checkpoint: beam search in both streams, merged and ranked, with the codes that led to
// each.
#include <span>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::ops {

struct RecommendOptions {
  std::string checkpoint, data;               // data: dataset folder; empty: the one it was trained on
  std::string history;                        // titles or ids, separated by commas
  std::string user;                           // outside id of a user of the log: all that the log has of him
  std::size_t top = 10;
  bool json = false;
  std::vector<std::string> sets;              // over the checkpoint's configuration: "eval.rank=own"
};
Status recommend(const RecommendOptions& options);

}  // namespace dyad::ops
