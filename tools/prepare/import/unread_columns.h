#pragma once
// Columns of interactions that nobody reads, and that may be what the rows are about: a data set without its histories
// or times looks whole and is not. By name and by what they hold. Threads: any; no state.
#include <string>
#include <vector>
#include "tools/prepare/import/lines.h"

namespace dyad::importer {

enum class Holds { kNumbers, kText, kLists, kNested };       // kLists: of scalars; kNested: any other lists, or objects

// Lists of scalars are suspect whatever their name; others by their name, numbers never.
bool may_be_history(std::string_view name, Holds holds);
// Whether a text may be several keys: "i1 i2", "i1,i2", "[i1]".
bool is_several(std::string_view text);
// What to say of such a column.
std::string unread_history(const std::string& column, Holds holds);

bool may_be_time(std::string_view name);
// Fails naming those of `unread`, columns of a file without a time, that may be it.
Status refuse_unread_times(const Place& place, const std::vector<std::string>& unread, const std::string& time);

}  // namespace dyad::importer
