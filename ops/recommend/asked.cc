#include "ops/recommend/asked.h"

#include "common/base/utf8.h"
#include "ops/recommend/item_lookup.h"

namespace dyad::ops {

UserLookup::UserLookup(const data::Dataset& dataset) : dataset_(dataset) {
  for (std::uint32_t u = 0; u < dataset.users(); ++u) users_.add(dataset.user_key(UserId{u}), u);
}

Result<Asked> UserLookup::find(const std::string& name) const {
  const auto found = users_.find(name, NameIndex::Case::kExact);
  if (found.empty()) {
    const auto near = users_.find(name, NameIndex::Case::kAny);
    const std::string other = near.empty() ? "users.txt there lists them"
                                           : fmt::format("there is {}, but that may be somebody else: write the id as "
                                                         "the log does", dataset_.user_key(UserId{near.front()}));
    return fail(Code::kNotFound, "no user \"{}\" in {}; {}", name, dataset_.dir().string(), other);
  }
  const UserId user{found.front()};
  const auto sequence = dataset_.sequence(user);
  if (sequence.empty()) return fail(Code::kInvalid, "user {} has no events in {}", name, dataset_.dir().string());
  return Asked{std::string(dataset_.user_key(user)), {sequence.begin(), sequence.end()}, {}};
}

Result<Asked> history_of(const data::Dataset& dataset, const std::string& history) {
  DYAD_TRY(parsed, ItemLookup(dataset.catalogue()).parse(history));
  return Asked{"", std::move(parsed.items), std::move(parsed.notes)};
}

std::string user_of_line(std::string_view line, bool is_first) {
  if (is_first) line = without_byte_order_mark(line);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return std::string(line);
}

}  // namespace dyad::ops
