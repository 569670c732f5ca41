#pragma once
// The order of rows, and what equal times leave open. Threads: any; no state.
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

// Time order over all users; rows of equal time stay as the files have them, so that a user's rows are ordered by
// (time, place).
void order_by_time(std::vector<Row>& rows);
// Rows of the user, item and time of one before (an unknown time equals no other); removed if `drop`, keeping the order
// of the others.
std::uint64_t repeated_rows(std::vector<Row>& rows, bool drop);
// A user's rows of one time in an order that is a function of the seed and the keys alone, wherever they stand in the
// files: a file sorted by item makes its last item the test item of all that tie. Rows of unknown time keep the order
// around them. REQUIRES: rows in the order of order_by_time().
void shuffle_ties(std::vector<Row>& rows, const Interner& users, const Interner& items, std::uint64_t seed);

struct Ties {
  std::uint64_t rows = 0;                                    // of the same known time as the user's row before
  std::uint64_t last = 0;                                    // users whose last two rows are
};
Ties count_ties(const std::vector<Row>& rows, std::size_t users);

}  // namespace dyad::importer
