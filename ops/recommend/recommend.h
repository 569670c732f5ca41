#pragma once
// Items that come next after a history, from a checkpoint: beam search in both streams, merged and ranked, with the
// codes that led to each.
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::ops {

struct RecommendOptions {
  std::string checkpoint, data;               // data: dataset folder; empty: the one it was trained on
  std::string history;                        // titles or ids, separated by commas
  std::string user;                           // outside id of a user of the log: all that the log has of him
  std::string users;                          // file of such ids, one a line; "-": stdin
  std::string seen = "keep";                  // keep | drop: whether items of the history may come again
  std::size_t top = 10;
  bool json = false;
  std::vector<std::string> sets;              // over the checkpoint's configuration: "eval.rank=own"
};
// One history on stdout, as a table or as JSON; of `users` a line of JSON each, in their order. A user that cannot be
// answered gets a line with an "error"; at the end kNotFound says how many.
Status recommend(const RecommendOptions& options);

}  // namespace dyad::ops
