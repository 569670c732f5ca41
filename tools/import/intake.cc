#include "tools/import/intake.h"

#include "common/base/check.h"
#include "common/base/utf8.h"

namespace dyad::importer {
namespace {

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

Status Intake::add(std::string_view user, std::string_view item, std::int64_t time_s, const Place& place) {
  if (user.empty()) return refuse(place, "the user is empty");
  if (item.empty()) return refuse(place, "the item is empty");
  if (user.find_first_of("\r\n") != std::string_view::npos) return refuse(place, "the user holds a line break");
  DYAD_TRYV(require_utf8("the user", user, place));
  DYAD_TRYV(require_utf8("the item", item, place));
  Row row{users.id_of(user), items.id_of(item), time_s, time_s};
  if (row.user == last_.size()) last_.push_back(-1);
  std::int64_t& last = last_[row.user];
  if (time_s == -1) {
    row.sort_s = last;
    ++unknown_times;
  } else if (time_s < last) {
    ++out_of_order;
    if (require_order_)
      return refuse(place, "time {} of user '{}' is before {} of the same user's row above; sort the file by time",
                    time_s, user, last);
  }
  last = row.sort_s;
  rows.push_back(row);
  return ok();
}

Status Intake::describe(data::Item item, const Place& place) {
  if (item.key.empty()) return refuse(place, "the item's key is empty");
  DYAD_TRYV(require_utf8(item, place));
  const std::string key = item.key;
  if (!described.emplace(key, std::move(item)).second) return refuse(place, "item '{}' came before in this file", key);
  described_order_.push_back(key);
  return ok();
}

void Intake::keep_all_items() {
  CHECK_EQ(items.size(), 0u);
  for (const std::string& key : described_order_) items.id_of(key);
  all_items = true;
}

}  // namespace dyad::importer
