#include "tools/prepare/import/intake.h"

#include "common/base/check.h"
#include "common/base/printable.h"
#include "common/base/utf8.h"

namespace dyad::importer {
namespace {

// The entities that shops' pages leave in titles.
std::string without_entities(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&quot;", "\""}, {"&#39;", "'"}, {"&apos;", "'"}, {"&#34;", "\""},
      {"&lt;", "<"},    {"&gt;", ">"},  {"&nbsp;", " "},   {"&amp;", "&"}};
  for (const auto& [entity, plain] : kEntities)
    for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; at += plain.size())
      text.replace(at, entity.size(), plain);
  return text;
}

void decode_entities(data::Item& item) {
  item.title = without_entities(std::move(item.title));
  item.brand = without_entities(std::move(item.brand));
  for (auto& path : item.categories) for (std::string& name : path) name = without_entities(std::move(name));
}

// The last guard, for formats whose library does not look: a dataset's files are JSON and UTF-8, and in writing them
// other bytes would be replaced, so that two keys could become one.
Status require_utf8(const char* what, std::string_view text, const Place& place) {
  const std::size_t good = utf8_prefix(text);
  if (good == text.size()) return ok();
  return refuse(place, "{} is not UTF-8 (byte 0x{:02X}); convert it to UTF-8 first", what,
                static_cast<unsigned char>(text[good]));
}

Status require_utf8(const data::Item& item, const Place& place) {
  DYAD_TRYV(require_utf8("the item's key", item.key, place));
  DYAD_TRYV(require_utf8("the item's title", item.title, place));
  DYAD_TRYV(require_utf8("the item's brand", item.brand, place));
  for (const auto& path : item.categories)
    for (const std::string& name : path) {
      DYAD_TRYV(require_utf8("the item's category", name, place));
    }
  return ok();
}

}  // namespace

std::uint32_t Interner::id_of(std::string_view key) {
  const auto found = ids_.find(key);
  if (found != ids_.end()) return found->second;
  CHECK_LT(keys_.size(), std::size_t{UINT32_MAX});
  const auto id = static_cast<std::uint32_t>(keys_.size());
  keys_.emplace_back(key);
  ids_.emplace(keys_.back(), id);
  return id;
}

std::optional<std::uint32_t> Interner::find(std::string_view key) const {
  const auto found = ids_.find(key);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

Status Intake::add(std::string_view user, std::string_view item, Time time, const Place& place) {
  if (user.empty()) return refuse(place, "the user is empty");
  if (item.empty()) return refuse(place, "the item is empty");
  if (user.find_first_of("\r\n") != std::string_view::npos) return refuse(place, "the user holds a line break");
  DYAD_TRYV(require_utf8("the user", user, place));
  DYAD_TRYV(require_utf8("the item", item, place));
  Row row{users.id_of(user), items.id_of(item)};
  if (row.user == last_.size()) last_.emplace_back();
  Time& last = last_[row.user];
  row.is_timed = time.is_known();
  if (!row.is_timed) {
    time = last;
    ++unknown_times;
  } else if (time < last) {
    ++out_of_order;
    if (require_order_)
      return refuse(place, "time {} of user '{}' is before {} of the same user's row above; sort the file by time",
                    time.text(), printable(user), last.text());
  }
  row.sort_s = time.s;
  row.sort_ns = time.ns;
  last = time;
  rows.push_back(row);
  split.note(row.user, row.item);
  if (!told_.empty()) told_of(row.user).push_back(row.item);
  return ok();
}

std::vector<std::uint32_t>& Intake::told_of(std::uint32_t user) {
  if (user >= told_.size()) told_.resize(user + 1);
  return told_[user];
}

Status Intake::add_history(const History& history, const Place& place) {
  if (told_.empty()) {                                       // the first history: rows before it may have had none
    told_.resize(users.size() + 1);
    for (const Row& row : rows) told_[row.user].push_back(row.item);
  }
  const auto user = users.find(history.user);
  const std::vector<std::uint32_t> told = user ? told_of(*user) : std::vector<std::uint32_t>();
  // What both tell must be the same: the first items where the history is the longer one, else the newest.
  const std::size_t both = std::min(told.size(), history.items.size());
  for (std::size_t i = 0; i < both; ++i) {
    const std::string& before = items.key(told[told.size() - both + i]);
    if (before == history.items[i]) continue;
    return refuse(place,
                  "the history of user '{}' does not go on from the rows above ('{}' where they have '{}'); a user's "
                  "rows must stand in the order in which the history grows",
                  printable(history.user), printable(history.items[i]), printable(before));
  }
  if (history.whole && !told.empty() && history.items.size() <= told.size())
    return refuse(place, "user '{}' came before with this history", printable(history.user));
  for (std::size_t i = told.size(); i < history.items.size(); ++i) {
    DYAD_TRYV(add(history.user, history.items[i], history.times.empty() ? Time{} : history.times[i], place));
    ++from_histories;
  }
  return ok();
}

void Intake::not_used(const std::filesystem::path& file, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const std::string what = fmt::format("{}", fmt::join(names, ", "));
  for (const std::string& before : unused)
    if (before.starts_with(what + " (")) return;             // the next file of the same form
  unused.push_back(fmt::format("{} ({})", printable(what, 400), file.filename().string()));
}

Status Intake::describe(data::Item item, const Place& place) {
  if (item.key.empty()) return refuse(place, "the item's key is empty");
  DYAD_TRYV(require_utf8(item, place));
  decode_entities(item);
  const std::string key = item.key;
  if (!described.emplace(key, std::move(item)).second)
    return refuse(place, "item '{}' came before in this file", printable(key));
  described_order.push_back(key);
  return ok();
}

}  // namespace dyad::importer
