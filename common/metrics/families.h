#pragma once
// Every family that a /metrics page of Dyad may show: one table. A figure that has no family here is shown by nobody,
// so a peer of another version adds no names, and labels take their values from closed sets: however long a job lives,
// the number of series is bounded. docs/metrics.md is this table.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dyad::metrics {

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };

struct Family {
  std::string_view name;
  Kind kind;
  std::string_view labels;                       // "role, id, phase"; empty: none
  std::string_view help;
};

std::span<const Family> families();
const Family* find_family(std::string_view name);
std::string families_markdown();                 // the table of docs/metrics.md

}  // namespace dyad::metrics
