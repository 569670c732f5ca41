#include "tools/prepare/import/unread_columns.h"

#include <algorithm>
#include <cctype>
#include <fmt/ranges.h>
#include "common/base/printable.h"

namespace dyad::importer {
namespace {

// "unixReviewTime" and "unix-review-time" are "_unix_review_time_".
std::string words_of(std::string_view name) {
  std::string out = "_";
  bool lower = false;
  for (const char byte : name) {
    const auto c = static_cast<unsigned char>(byte);
    const bool letter = std::isalnum(c) || c >= 0x80;
    if (((std::isupper(c) && lower) || !letter) && out.back() != '_') out += '_';
    if (letter) out += static_cast<char>(std::tolower(c));
    lower = std::islower(c) || std::isdigit(c);
  }
  if (out.back() != '_') out += '_';
  return out;
}

template <std::size_t N> bool has_any(const std::string& words, const std::string_view (&parts)[N]) {
  return std::any_of(std::begin(parts), std::end(parts),
                     [&](std::string_view part) { return words.find(part) != std::string::npos; });
}

// Names of what a user did before.
constexpr std::string_view kHistories[] = {
    "hist",        "_seq_",       "_seqs_",   "_sequence", "_items_",   "_itemids_", "_ids_",      "_products_",
    "_asins_",     "_past_",      "_prior_",  "_previous_", "_bought_", "_orders_",  "_purchases_", "_purchased_",
    "_clicked_",   "_clicks_",    "_watched_", "_viewed_", "_views_",   "_visited_", "_listened_", "_played_",
    "_basket_",    "_baskets_",   "_cart_"};
// Names that say no more than that there are several.
constexpr std::string_view kSeveral[] = {"list", "session", "interaction", "event", "_context_", "seq"};
constexpr std::string_view kTimes[] = {"_time_", "_times_", "timestamp", "_date_", "_dates_", "datetime", "_ts_",
                                       "_unix_", "_epoch_", "_created_", "_dt_", "_when_", "_at_"};
// Lists that reviews have: votes and pictures.
constexpr std::string_view kKnown[] = {"helpful", "image", "images"};

}  // namespace

bool may_be_history(std::string_view name, Holds holds) {
  if (holds == Holds::kNumbers) return false;
  if (holds == Holds::kLists) return std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown);
  const std::string words = words_of(name);
  return has_any(words, kHistories) || (holds == Holds::kNested && has_any(words, kSeveral));
}

bool is_several(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  text = text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
  return text.starts_with('[') || text.starts_with('{') || text.find_first_of(" ,;|\t") != std::string_view::npos;
}

std::string unread_history(const std::string& column, Holds holds) {
  const std::string name = printable(column);
  if (holds == Holds::kLists && may_be_time(column))
    return fmt::format("column '{}' holds lists; if they are the times of a history, name it with --time-column and "
                       "the history with --history-column, else leave it out with --ignore-column {}", name, name);
  if (holds == Holds::kLists)
    return fmt::format("column '{}' holds lists; if they are the items before the row's, or all of a user's, name it "
                       "with --history-column, else leave it out with --ignore-column {}", name, name);
  return fmt::format("column '{}' holds {}, by its name users' histories; write them as lists of keys for "
                     "--history-column, or leave the column out with --ignore-column {}",
                     name, holds == Holds::kText ? "text" : "objects", name);
}

bool may_be_time(std::string_view name) { return has_any(words_of(name), kTimes); }

Status refuse_unread_times(const Place& place, const std::vector<std::string>& unread, const std::string& time) {
  std::vector<std::string> names;
  for (const std::string& name : unread) if (may_be_time(name)) names.push_back(name);
  if (names.empty()) return ok();
  const std::string all = printable(fmt::format("{}", fmt::join(names, "', '")), 400);
  return refuse(place, "no column '{}', but '{}': without times the order of the file decides; name the times with "
                "--time-column, and leave others out with --ignore-column", printable(time), all);
}

}  // namespace dyad::importer
