#pragma once
// A search over one loaded model, for as many histories at a time as an evaluation decodes. Threads: one.
#include <vector>
#include "ops/recommend/asked.h"
#include "worker/decode/beam_search.h"
#include "worker/eval/loaded_model.h"

namespace dyad::ops {

struct Answer {
  Asked asked;
  std::vector<ItemId> history;                // the part of it that the model was shown
  std::vector<worker::Candidate> items;       // best first
};

class Recommender {
 public:
  Recommender(const worker::LoadedModel& loaded, std::size_t top);      // borrowed
  // `drop_seen`: items of a history, also those that the model is not shown, do not come again.
  std::vector<Answer> answer(const std::vector<Asked>& asked, bool drop_seen) const;

 private:
  const worker::LoadedModel& loaded_;
  worker::BeamSearch search_;
};

}  // namespace dyad::ops
