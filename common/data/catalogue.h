#pragma once
// catalogue.jsonl (a JSON object a line, in the order of ItemId) and users.txt (an outside id a line).
#include <filesystem>
#include <span>
#include "common/data/types.h"
#include "common/io/atomic_file.h"

namespace dyad::data {

std::string catalogue_line(const Item& item);               // without the line break; bytes that are no UTF-8 replaced
// `where` ("FILE:12") opens the error's message.
Result<Item> parse_catalogue_line(std::string_view line, const std::string& where);
// Of the keys in their order: what says that rows of vectors or codes are for this catalogue.
std::uint64_t digest_of_keys(std::span<const Item> items);
Result<std::vector<Item>> parse_catalogue(std::string_view text, const std::string& file);

}  // namespace dyad::data
