#pragma once
// `dyad import`: reads a public format, orders each user's rows by (time, place in the file), takes the k-core, numbers
// users and items densely, and writes a dataset folder. The log holds the rows of all users in the order of time.
// Numbers: users and items in the order in which the files first mention them among those that stay; in s3rec an item's
// number is its file's id - 1, and without k-core items that nobody touched stay too.
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::importer {

struct Options {
  std::string format;                        // recbole | s3rec | jsonl | parquet
  std::vector<std::filesystem::path> paths;
  std::filesystem::path out;
  std::filesystem::path items;  // jsonl, parquet: what is known of items (catalogue.jsonl's form); may be empty
  std::string user_column, item_column, time_column;   // empty: the format's own names
  std::uint32_t k_core = 0, partitions = 8;
  bool require_order = false;                // refuse rows that are older than the user's row before (s3rec: always)
  bool force = false;                        // replace an existing dataset
};

struct Report {
  std::uint64_t rows = 0;                    // interactions in the files
  std::uint64_t users = 0, items = 0, interactions = 0;
  std::uint64_t out_of_order = 0, unknown_times = 0;
  std::uint64_t dropped_users_rare = 0, dropped_items_rare = 0,
                k_core_rounds = 0;           // rows that the k-core dropped, and why
  std::uint64_t undescribed_items = 0;       // without title, brand and categories
  std::uint64_t unused_items = 0;            // described, but left out for want of interactions
  double seconds = 0;
};

// Fails with kInvalid naming file, line and column; then nothing is left in the folder's place.
Result<Report> run(const Options& options);

}  // namespace dyad::importer
