#pragma once
// What a person types as a history -> items. Items are separated by commas; each is an outside id or a title. Titles
// hold commas themselves ("Godfather, The (1972)"), so the longest run of pieces that names an item wins. What is
// written exactly so comes before what differs in case, an id before a title; a piece that is neither may be a part of
// one title. What could mean several items means none. Threads: immutable.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/data/types.h"
#include "ops/recommend/name_index.h"

namespace dyad::ops {

class ItemLookup {
 public:
  explicit ItemLookup(std::span<const data::Item> items);            // items[i] is ItemId{i}; borrowed
  struct History {
    std::vector<ItemId> items;                                       // oldest first, as typed
    std::vector<std::string> notes;                                  // what else might have been meant
  };
  // Fails with kNotFound naming the piece that matches nothing and the nearest titles, kInvalid one that matches
  // several items, with the first few of them.
  Result<History> parse(std::string_view history) const;

 private:
  Result<std::optional<ItemId>> named(std::string_view word, NameIndex::Case letters, History& out) const;
  Result<ItemId> by_part(std::string_view part) const;
  std::vector<std::uint32_t> nearest(std::string_view wanted) const;
  std::string listed(std::span<const std::uint32_t> items) const;    // a line each: id and title; the first few
  std::span<const data::Item> items_;
  std::vector<std::string> lower_titles_;
  NameIndex ids_, titles_;
};

}  // namespace dyad::ops
