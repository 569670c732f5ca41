#pragma once
// Three tables, as EAGER has them, for tests that need some.
#include <array>
#include "common/tables/tables.h"

namespace dyad {

struct TablesForTest {
  std::array<std::uint32_t, 3> widths{8, 8, 8};
  std::array<std::uint64_t, 3> key_ends{1000, 1000, 1000};
  std::uint64_t seed = 1;
  float init_std = 0.02f;
  RowOptimizerOptions optimizer;
};

inline Tables tables_for_test(const TablesForTest& o = {}) {
  Tables tables;
  for (std::size_t t = 0; t < 3; ++t)
    tables.push_back({t == 0 ? "item" : t == 1 ? "code.behaviour" : "code.semantic", o.widths[t], o.key_ends[t], o.seed,
                      t, o.init_std, o.optimizer});
  return tables;
}

}  // namespace dyad
