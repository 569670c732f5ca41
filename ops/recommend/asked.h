#pragma once
// Whose next items are asked for: a user of the log by an outside id, or a history that a person types.
// Threads: immutable.
#include <string>
#include <string_view>
#include <vector>
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "ops/recommend/name_index.h"

namespace dyad::ops {

struct Asked {
  std::string user;                           // "" for a typed history
  std::vector<ItemId> items;                  // oldest first, all of them
  std::vector<std::string> notes;             // what else might have been meant
};

class UserLookup {
 public:
  explicit UserLookup(const data::Dataset& dataset);        // borrowed
  // As the log writes the id, for one in other letters may be another user's. kNotFound names it, and the near one.
  Result<Asked> find(const std::string& name) const;

 private:
  const data::Dataset& dataset_;
  NameIndex users_;
};

Result<Asked> history_of(const data::Dataset& dataset, const std::string& history);
// Without a line's end as other systems write it, and a byte order mark in the first line.
std::string user_of_line(std::string_view line, bool is_first);

}  // namespace dyad::ops
