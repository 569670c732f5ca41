#pragma once
// What a person types as a history -> items. Items are separated by commas; each is a title or an outside id. Titles
// hold commas themselves ("Godfather, The (1972)"), so the longest run of pieces that names an item wins. A piece that
// is no whole title may be a part of exactly one. Case does not matter. Threads: immutable.
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/data/types.h"

namespace dyad::ops {

class ItemLookup {
 public:
  explicit ItemLookup(std::span<const data::Item> items);            // items[i] is ItemId{i}; borrowed
  // Oldest first, as typed. Fails with kNotFound naming the piece that matches nothing and the nearest titles, kInvalid
  // one that matches several items, with the first few of them.
  Result<std::vector<ItemId>> parse(std::string_view history) const;

 private:
  Result<ItemId> by_part(std::string_view part) const;
  std::vector<std::uint32_t> nearest(std::string_view wanted) const;
  std::string listed(std::span<const std::uint32_t> items) const;    // a line each: id and title; the first few
  std::span<const data::Item> items_;
  std::vector<std::string> lower_titles_;
  std::unordered_map<std::string, ItemId> exact_;                     // lower-case title or id; the first item wins
};

}  // namespace dyad::ops
