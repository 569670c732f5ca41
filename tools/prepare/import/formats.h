#pragma once
// A reader per format. Each fills an Intake or fails with kInvalid naming file, line and column. Text is UTF-8.
// What each reads and what it leaves is told to users in docs/input-formats.md.
#include <algorithm>
#include "tools/prepare/import/import.h"
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

// X.inter (user_id:token item_id:token timestamp:float ...), X.item beside it if it is there; X.train.inter,
// X.valid.inter and X.test.inter; a folder that holds one of the two.
Status read_recbole(const Options& options, Intake& intake);
// A folder with sequences.txt, timestamps.txt (may be missing), items.jsonl (may be missing: the items' numbers
// then have no gaps); or S3-Rec's own NAME.txt with NAME_item2attributes.json, as that file or as the folder of it.
Status read_s3rec(const Options& options, Intake& intake);
// An object a line: {"user": "a", "item": 7, "time": 1700000000}; keys are strings or whole numbers, time may be
// missing or null.
Status read_jsonl(const Options& options, Intake& intake);
// Columns user, item, time (integers, decimals, strings, timestamps, dates); time may be missing.
Status read_parquet(const Options& options, Intake& intake);
// Items of JSON lines: {"key": "a", "title": "A", "brand": "B", "categories": [["broad", "narrow"]]}.
Status read_item_lines(const std::filesystem::path& path, const ItemColumns& names, Intake& intake);

// Fails where an option names a field of the items and no file describes them: it would do nothing. `key`: so does
// --item-key.
Status check_items_are_there(const ItemColumns& given, bool there, bool key);

inline std::string named(const std::string& given, const char* otherwise) { return given.empty() ? otherwise : given; }
inline bool is_ignored(const Columns& columns, const std::string& name) {
  return std::find(columns.ignored.begin(), columns.ignored.end(), name) != columns.ignored.end();
}

}  // namespace dyad::importer
