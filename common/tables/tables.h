#pragma once
// The tables of rows that a job's servers hold, as data. The workers say the list when they register, for their model
// has made it; the coordinator passes it on with the routing and writes it into each manifest. A TableId is a place in
// the list: the list of a job never changes. Threads: plain data.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"

namespace dyad {

inline constexpr std::size_t kTablesMax = 16;

struct RowOptimizerOptions {                    // section [rows] of the configuration
  std::string name = "adam";                    // sgd | adagrad | rowwise_adagrad | adam | adamw
  float beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f, weight_decay = 0.0f;
  float clip = 0.0f;                            // largest Euclidean norm of one row's gradient; 0: none
  bool operator==(const RowOptimizerOptions&) const = default;
};

struct TableSpec {
  std::string name;                             // in messages, files and metrics: "item", "code.semantic"
  std::uint32_t width = 0;                      // floats in a row
  std::uint64_t key_end = 0;                    // keys are below it
  std::uint64_t seed = 1, stream = 0;           // of the initial rows, with the key (common/base/initial_row.h)
  float init_std = 0.02f;
  RowOptimizerOptions optimizer;
  bool operator==(const TableSpec&) const = default;
};
using Tables = std::vector<TableSpec>;

// The table's name, or "7 (of 3)".
std::string name_of(const Tables& tables, TableId table);
// kInvalid, saying what of it makes no sense: none or more than kTablesMax, a name twice or of other characters than
// a-z, 0-9, '.', '_' and '-', rows of 0 or more than 2^20 floats, numbers that are not finite.
Status check(const Tables& tables);
// "table item has rows of 64 floats, not 128": the first in which `theirs` differs from `ours`. Empty: nothing.
std::string first_difference(const Tables& theirs, const Tables& ours);

}  // namespace dyad
