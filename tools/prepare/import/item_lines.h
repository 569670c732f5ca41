#pragma once
// What is known of items, as JSON lines. Null is as good as absent; names come from ItemColumns. Threads: any; no
// state.
#include <set>
#include <string>
#include <nlohmann/json.hpp>
#include "common/data/types.h"
#include "tools/prepare/import/import.h"
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

// The line that `lines` gave last. Fails with kInvalid where it is no object of UTF-8, or a name comes twice in it.
Result<nlohmann::json> parse_object(std::string_view line, const Lines& lines);

class ItemParser {
 public:
  ItemParser(const ItemColumns& names, std::set<std::string> also_read);   // what the caller reads by itself
  // The item of an object. `categories` is a list of paths, broad to narrow, or one path as a flat list, or one name.
  Result<data::Item> item_of(const nlohmann::json& object, const Place& place);
  // At the file's end: tells the intake which names nobody read. Fails where a name that was given came in no line.
  Status finish(const std::filesystem::path& path, Intake& intake) const;

 private:
  ItemColumns given_, names_;
  std::set<std::string> read_, seen_;
};

// What a line that is no JSON may be, for the end of a message: "" or "; ...".
std::string not_json_hint(std::string_view line);

}  // namespace dyad::importer
