#pragma once
// What a format's reader fills: interactions with outside keys, and what is known of items. Keys get numbers in the
// order in which they are first seen. An interaction of unknown time keeps its place behind the user's row before it.
// Threads: one.  Memory: 24 bytes an interaction, and each key once.
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>
#include "common/data/types.h"
#include "tools/import/lines.h"

namespace dyad::importer {

class Interner {
 public:
  std::uint32_t id_of(std::string_view key);                 // a new key gets the next number
  bool contains(std::string_view key) const { return ids_.contains(key); }
  std::size_t size() const { return keys_.size(); }
  const std::string& key(std::uint32_t id) const { return keys_[id]; }

 private:
  std::deque<std::string> keys_;                             // stays in place: ids_ looks into it
  std::unordered_map<std::string_view, std::uint32_t> ids_;
};

struct Row {
  std::uint32_t user = 0, item = 0;
  std::int64_t time_s = -1;
  std::int64_t sort_s = -1;                                  // time_s, or that of the user's row before where unknown
};

class Intake {
 public:
  explicit Intake(bool require_order) : require_order_(require_order) {}
  // Fails with kInvalid for a key that is empty or not UTF-8, or a row older than the user's rows before it under
  // require_order.
  Status add(std::string_view user, std::string_view item, std::int64_t time_s, const Place& place);
  // What is known of an item. Fails with kInvalid when the key came before, or a text is not UTF-8.
  Status describe(data::Item item, const Place& place);
  // Keeps described items that no row mentions, and numbers items in the order of describe().
  void keep_all_items();

  Interner users, items;
  std::vector<Row> rows;
  std::unordered_map<std::string, data::Item> described;
  std::uint64_t out_of_order = 0, unknown_times = 0;
  bool all_items = false;

 private:
  bool require_order_;
  std::vector<std::int64_t> last_;                           // per user: sort_s of the row before
  std::vector<std::string> described_order_;
};

}  // namespace dyad::importer
