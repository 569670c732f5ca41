#pragma once
// Recommendations on stdout: a table for people, JSON for programs.
#include <string>
#include <nlohmann/json_fwd.hpp>
#include "ops/recommend/recommender.h"

namespace dyad::ops {

nlohmann::json to_json(const worker::LoadedModel& loaded, const Answer& answer);
void print_table(const worker::LoadedModel& loaded, const Answer& answer);
void print_json(const worker::LoadedModel& loaded, const Answer& answer);
void print_line(const worker::LoadedModel& loaded, const Answer& answer);       // the same on one line
void print_error_line(const std::string& user, const std::string& error);

}  // namespace dyad::ops
