#pragma once
// catalogue.jsonl (a JSON object a line, in the order of ItemId) and users.txt (an outside id a line).
#include <filesystem>
#include "common/data/types.h"
#include "common/io/atomic_file.h"

namespace dyad::data {

std::string catalogue_line(const Item& item);               // without the line break; bytes that are no UTF-8 replaced
// `where` ("FILE:12") opens the error's message.
Result<Item> parse_catalogue_line(std::string_view line, const std::string& where);
Result<std::vector<Item>> parse_catalogue(std::string_view text, const std::string& file);

}  // namespace dyad::data
