#pragma once
// `dyad import`: reads a public format, orders each user's rows by (time, place in the file), takes the k-core, numbers
// users and items densely, and writes a dataset folder. The log holds the rows of all users in the order of time.
// Numbers: users in the order in which the files first mention them among those that stay; items in the order of the
// file that describes them, and behind them, by first mention, those that it does not describe. Described items that
// nobody touched are left out, but for s3rec without k-core.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::importer {

struct Columns {                             // of interactions; empty: the format's own
  std::string user, item, time, rating, history;
  std::vector<std::string> ignored;          // columns that the user knows to hold nothing that counts
};
struct ItemColumns {                         // of what is known of items; empty: the format's own
  std::string key, title, brand, categories;
};

struct Options {
  std::string format;                        // recbole | s3rec | jsonl | parquet
  std::vector<std::filesystem::path> paths;
  std::filesystem::path out;
  std::filesystem::path items;  // jsonl, parquet: what is known of items, JSON lines; may be empty
  Columns columns;
  ItemColumns item_columns;
  std::optional<double> min_rating;          // drop rows rated lower, or not rated
  bool distinct = false;                     // of rows of one user, item and time keep the first
  std::uint32_t k_core = 0, partitions = 8;
  bool k_core_pairs = false;                 // count a user's distinct items, an item's distinct users
  std::optional<std::uint64_t> shuffle_ties; // a seed: rows of equal time of a user in an order drawn from it
  bool require_order = false;                // refuse rows that are older than the user's row before (s3rec: always)
  bool force = false;                        // replace an existing dataset
};

struct Report {
  std::uint64_t rows = 0;                    // interactions in the files
  std::uint64_t from_histories = 0;          // further ones that only their histories tell
  std::uint64_t users = 0, items = 0, interactions = 0;
  std::uint64_t users_training = 0;          // that give samples: 2 events, or 4 and more
  std::uint64_t users_evaluated = 0;         // that give an item of validation and one of test: 3 events and more
  std::uint64_t out_of_order = 0, unknown_times = 0;
  std::uint64_t repeated = 0;                // rows of the user, item and time of one before; dropped if `distinct`
  std::uint64_t tied_rows = 0;               // of the same time as the user's row before
  std::uint64_t tied_last = 0;               // users whose last two rows are: time does not tell which is the test item
  std::uint64_t low_ratings = 0;             // rows dropped by min_rating
  std::uint64_t dropped_users_rare = 0, dropped_items_rare = 0,
                k_core_rounds = 0;           // rows that the k-core dropped, and why
  std::uint64_t undescribed_items = 0;       // without title, brand and categories
  std::uint64_t unused_items = 0;            // described, but left out for want of interactions
  std::uint64_t described_items = 0;         // by the files, whether they stay or not
  std::uint64_t far_times = 0;               // rows after the year 3000
  std::optional<std::uint64_t>
      split_differs;                         // files that come as parts: users to whom leave-one-out gives other items
  std::vector<std::string> unused;           // columns and files that nobody reads: "rating, session (m.inter)"
  double seconds = 0;
};

// Fails with kInvalid naming file, line and column; then nothing is left in the folder's place.
Result<Report> run(const Options& options);

}  // namespace dyad::importer
