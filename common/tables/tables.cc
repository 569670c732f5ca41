#include "common/tables/tables.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace dyad {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::uint32_t kWidthMax = 1u << 20;

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos;
}

}  // namespace

std::string name_of(const Tables& tables, TableId table) {
  const auto at = static_cast<std::size_t>(table);
  return at < tables.size() ? tables[at].name : fmt::format("{} (of {})", at, tables.size());
}

Status check(const Tables& tables) {
  if (tables.empty() || tables.size() > kTablesMax)
    return fail(Code::kInvalid, "{} tables; a job has 1 to {}", tables.size(), kTablesMax);
  std::set<std::string> names;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const TableSpec& table = tables[t];
    if (!is_name(table.name)) return fail(Code::kInvalid, "table {} has no name of a to z, 0 to 9, '.', '_', '-'", t);
    if (!names.insert(table.name).second) return fail(Code::kInvalid, "two tables are called {}", table.name);
    if (table.width == 0 || table.width > kWidthMax)
      return fail(Code::kInvalid, "table {} has rows of {} floats, wanted 1 to {}", table.name, table.width, kWidthMax);
    const RowOptimizerOptions& o = table.optimizer;
    if (!is_name(o.name)) return fail(Code::kInvalid, "table {} names no optimizer", table.name);
    for (const float number : {table.init_std, o.beta1, o.beta2, o.eps, o.weight_decay, o.clip})
      if (!std::isfinite(number)) return fail(Code::kInvalid, "table {} has an option that is no number", table.name);
  }
  return ok();
}

std::string first_difference(const Tables& theirs, const Tables& ours) {
  if (theirs.size() != ours.size()) return fmt::format("{} tables, not {}", theirs.size(), ours.size());
  for (std::size_t t = 0; t < ours.size(); ++t) {
    const TableSpec &a = theirs[t], &b = ours[t];
    if (a == b) continue;
    if (a.name != b.name) return fmt::format("table {} is called {}, not {}", t, a.name, b.name);
    if (a.width != b.width) return fmt::format("table {} has rows of {} floats, not {}", a.name, a.width, b.width);
    if (a.key_end != b.key_end)
      return fmt::format("table {} has keys below {}, not below {}", a.name, a.key_end, b.key_end);
    if (a.optimizer != b.optimizer)
      return fmt::format("table {} is trained by {} with its options, not by {} with those of here", a.name,
                         a.optimizer.name, b.optimizer.name);
    return fmt::format("table {} has other initial rows", a.name);
  }
  return "";
}

}  // namespace dyad
