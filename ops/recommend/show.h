#pragma once
// Recommendations on stdout: a table for people, JSON for programs.
#include <string>
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

void print_table(const worker::LoadedModel& loaded, const Answer& answer);
void print_json(const worker::LoadedModel& loaded, const Answer& answer);
void print_line(const worker::LoadedModel& loaded, const Answer& answer);       // the same on one line
void print_error_line(const std::string& user, const std::string& error);

}  // namespace dyad::ops
