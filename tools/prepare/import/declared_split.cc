#include "tools/prepare/import/declared_split.h"

#include "tools/prepare/import/intake.h"

namespace dyad::importer {

void DeclaredSplit::note(std::uint32_t user, std::uint32_t item) {
  if (part_ == Part::kTrain) return;
  any_ = true;
  if (user >= held_.size()) held_.resize(user + 1);
  std::uint32_t& held = part_ == Part::kTest ? held_[user].test : held_[user].validation;
  held = held == kNone ? item : kSeveral;
}

std::uint64_t DeclaredSplit::users_that_differ(const std::vector<Row>& rows) const {
  std::vector<Held> last(held_.size());
  for (const Row& row : rows)
    if (row.user < last.size()) last[row.user] = {last[row.user].test, row.item};
  std::uint64_t differ = 0;
  for (std::size_t u = 0; u < held_.size(); ++u) {
    const Held& held = held_[u];
    if (held.test == kNone && held.validation == kNone) continue;
    if (last[u].test == kNone) continue;                     // of no row any more
    const bool last_is_test = held.test == kNone || held.test == last[u].test;
    const std::uint32_t before = held.test == kNone ? last[u].test : last[u].validation;
    differ += !last_is_test || (held.validation != kNone && held.validation != before);
  }
  return differ;
}

}  // namespace dyad::importer
