#include "ops/recommend/item_lookup.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace dyad::ops {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::set<std::string_view> trigrams(std::string_view text) {
  std::set<std::string_view> out;
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) out.insert(text.substr(i, 3));
  return out;
}

}  // namespace

ItemLookup::ItemLookup(std::span<const data::Item> items) : items_(items) {
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    lower_titles_.push_back(lower(items[i].title));
    ids_.add(items[i].key, i);
    titles_.add(items[i].title, i);
  }
}

// The item that is called `word`, if there is one.
Result<std::optional<ItemId>> ItemLookup::named(std::string_view word, NameIndex::Case letters, History& out) const {
  const auto of_id = ids_.find(word, letters), of_title = titles_.find(word, letters);
  const auto found = of_id.empty() ? of_title : of_id;
  if (found.empty()) return std::optional<ItemId>();
  if (found.size() > 1)
    return fail(Code::kInvalid, "\"{}\" is the {} of {} items; give an id{}:{}", word, of_id.empty() ? "title" : "id",
                found.size(), letters == NameIndex::Case::kAny ? " as it is written" : "", listed(found));
  if (!of_id.empty() && !of_title.empty() && of_title.front() != of_id.front())
    out.notes.push_back(fmt::format("\"{}\" was taken as the id; it is a title, too:{}", word, listed(of_title)));
  return std::optional<ItemId>(ItemId{found.front()});
}

Result<ItemId> ItemLookup::by_part(std::string_view part) const {
  const std::string wanted = lower(part);
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < lower_titles_.size(); ++i)
    if (lower_titles_[i].find(wanted) != std::string::npos) found.push_back(i);
  if (found.size() == 1) return ItemId{found[0]};
  if (found.empty()) {
    const auto near = nearest(wanted);
    return fail(Code::kNotFound, "no item has the title or the id \"{}\"{}{}", part,
                near.empty() ? "; catalogue.jsonl of the dataset lists them" : "; the nearest titles:", listed(near));
  }
  return fail(Code::kInvalid, "\"{}\" is a part of {} titles; give more of it, or an id:{}", part, found.size(),
              listed(found));
}

std::string ItemLookup::listed(std::span<const std::uint32_t> items) const {
  std::string some;
  for (const std::uint32_t i : items.first(std::min<std::size_t>(items.size(), 4)))
    some += fmt::format("\n  {}  {}", items_[i].key, items_[i].title);
  return some;
}

// By the share of three-letter pieces in common (Jaccard), at least a fifth of them; best first, at most 3.
std::vector<std::uint32_t> ItemLookup::nearest(std::string_view wanted) const {
  const auto pieces = trigrams(wanted);
  std::vector<std::pair<double, std::uint32_t>> scored;
  for (std::uint32_t i = 0; i < lower_titles_.size(); ++i) {
    const auto own = trigrams(lower_titles_[i]);
    const auto common = static_cast<double>(std::ranges::count_if(own, [&](auto p) { return pieces.contains(p); }));
    const double share = common / std::max(1.0, static_cast<double>(pieces.size() + own.size()) - common);
    if (share >= 0.2) scored.emplace_back(-share, i);
  }
  std::ranges::sort(scored);
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < std::min<std::size_t>(scored.size(), 3); ++i) out.push_back(scored[i].second);
  return out;
}

Result<ItemLookup::History> ItemLookup::parse(std::string_view history) const {
  std::vector<std::size_t> begin{0};                      // of each piece
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history[i] == ',') begin.push_back(i + 1);
  begin.push_back(history.size() + 1);
  const auto piece = [&](std::size_t from, std::size_t to) {
    return trim(history.substr(begin[from], begin[to] - 1 - begin[from]));
  };
  History out;
  // The longest run from piece `from` that names an item; gives the piece after it, or `from`.
  const auto take_run = [&](std::size_t from) -> Result<std::size_t> {
    for (const auto letters : {NameIndex::Case::kExact, NameIndex::Case::kAny})
      for (std::size_t to = begin.size() - 1; to > from; --to) {
        DYAD_TRY(item, named(piece(from, to), letters, out));
        if (!item) continue;
        out.items.push_back(*item);
        return to;
      }
    return from;
  };
  for (std::size_t from = 0; from + 1 < begin.size();) {
    DYAD_TRY(next, take_run(from));
    if (const auto part = piece(from, from + 1); next == from && !part.empty()) {
      DYAD_TRY(item, by_part(part));
      out.items.push_back(item);
    }
    from = std::max(next, from + 1);
  }
  if (out.items.empty()) return fail(Code::kInvalid, "the history is empty; give titles or ids, separated by commas");
  return out;
}

}  // namespace dyad::ops
