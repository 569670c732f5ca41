#pragma once
// Made-up batches of keys: rows that are new, and rows that exist, drawn uniformly or by Zipf's law.
#include "tools/bench/bench_client.h"

namespace dyad::bench {

struct BatchOptions {
  std::uint32_t rows = 16000;                                  // of a batch: a fifth items, two fifths each code table
  std::uint64_t catalogue = 12000;                             // keys of a table that exist: 0 .. catalogue - 1
  double zipf = 0;                                             // exponent; 0: uniform
  std::uint32_t rows_of(int table) const { return table == 0 ? rows / 5 : rows * 2 / 5; }
};

// All keys below `catalogue`, as batches of at most `rows` a table.
std::vector<Batch> whole_catalogue(const BatchOptions& options);
// `count` batches of keys that no other has, of any worker: above the catalogue and spread over keys_end.
std::vector<Batch> new_keys(const BatchOptions& options, std::uint32_t worker, std::uint32_t workers,
                            std::uint32_t count);
std::uint64_t keys_end(const BatchOptions& options, std::uint32_t workers, std::uint32_t count);
// Uniform: exactly `rows` keys. Zipf: that many draws, so fewer keys, for one that is drawn twice is asked for once.
std::vector<Batch> known_keys(const BatchOptions& options, std::uint32_t worker, std::uint32_t count);

}  // namespace dyad::bench
