#pragma once
// The keys that say whose each row of a matrix of vectors is. No LibTorch here.
#include <filesystem>
#include <string>
#include <vector>
#include "common/base/result.h"

namespace dyad::encode {

// One key a row, from a file of one of these forms, plain or .gz (text_file.h); lines may end in \r\n.
//   .json             a list of strings or whole numbers
//   .jsonl, .ndjson   an object a line with the key in `field`; or a string or whole number a line
//   else              a key a line, as it stands
// Where `field` is empty it is the one of kKeyFields that the first object has. Fails with kNotFound, or kInvalid
// naming file and line: an empty line that is not the last, a line without the field, a null.
Result<std::vector<std::string>> read_keys(const std::filesystem::path& file, const std::string& field);

inline constexpr const char* kKeyFields[] = {"key", "item", "item_id", "id", "asin", "parent_asin"};
// The one of `names` that is `wanted`; if that is empty "key", or the only one of kKeyFields. Fails with kInvalid if
// there is none, or several are, with the names that there are.
Result<std::string> key_field(const std::vector<std::string>& names, const std::string& wanted,
                              const std::string& where);

}  // namespace dyad::encode
