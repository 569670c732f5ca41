#pragma once
// What a format's reader fills: interactions with outside keys, and what is known of items. Keys get numbers in the
// order in which they are first seen. An interaction of unknown time keeps its place behind the user's row before it.
// Threads: one.  Memory: 24 bytes an interaction, and each key once.
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>
#include "common/data/types.h"
#include "tools/prepare/import/declared_split.h"
#include "tools/prepare/import/lines.h"

namespace dyad::importer {

class Interner {
 public:
  std::uint32_t id_of(std::string_view key);                 // a new key gets the next number
  std::optional<std::uint32_t> find(std::string_view key) const;
  std::size_t size() const { return keys_.size(); }
  const std::string& key(std::uint32_t id) const { return keys_[id]; }

 private:
  std::deque<std::string> keys_;                             // stays in place: ids_ looks into it
  std::unordered_map<std::string_view, std::uint32_t> ids_;
};

struct Row {
  std::uint32_t user = 0, item = 0;
  std::int64_t sort_s = -1;                                  // the time, or that of the user's row before where unknown
  std::uint32_t sort_ns = 0;
  bool is_timed = false;                                     // the time is known
  Time sort_time() const { return {sort_s, sort_ns}; }
  std::int64_t time_s() const { return is_timed ? sort_s : -1; }
};

// A row's list of the items before (or, without an item of its own, of all items), oldest first.
struct History {
  std::string_view user;
  std::span<const std::string_view> items;
  std::span<const Time> times;                               // of each, or empty: unknown
  bool whole = false;                                        // the row has no item of its own
};

class Intake {
 public:
  explicit Intake(bool require_order) : require_order_(require_order) {}
  // Fails with kInvalid for a key that is empty or not UTF-8, or a row older than the user's rows before it under
  // require_order.
  Status add(std::string_view user, std::string_view item, Time time, const Place& place);
  // Adds those items that the user's rows before do not tell yet: an augmented file repeats a history, longer in
  // each row, or cut to the newest. Fails with kInvalid for one that does not go on from the rows before, and for a
  // row that tells nothing new.
  Status add_history(const History& history, const Place& place);
  // What is known of an item; HTML entities of its text become characters. Fails with kInvalid when the key came
  // before, or a text is not UTF-8.
  Status describe(data::Item item, const Place& place);
  // Keeps described items that no row mentions.
  void keep_all_items() { all_items = true; }
  // For the report: names of a file's columns, or of files, that are not read.
  void not_used(const std::filesystem::path& file, const std::vector<std::string>& names);

  Interner users, items;
  std::vector<Row> rows;
  std::unordered_map<std::string, data::Item> described;
  std::vector<std::string> described_order;                  // keys, as the items' file has them
  DeclaredSplit split;
  std::uint64_t rows_read = 0, out_of_order = 0, unknown_times = 0, from_histories = 0, low_ratings = 0;
  std::set<std::string> columns;                             // of all files of interactions, read or not
  std::vector<std::string> unused;                           // "rating, session (m.inter)"
  bool all_items = false;

 private:
  std::vector<std::uint32_t>& told_of(std::uint32_t user);

  bool require_order_;
  std::vector<Time> last_;                                   // per user: sort_time() of the row before
  std::vector<std::vector<std::uint32_t>> told_;             // per user: items so far; filled from the first history on
};

}  // namespace dyad::importer
