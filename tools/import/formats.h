#pragma once
// A reader per format. Each fills an Intake or fails with kInvalid naming file, line and column. Text is UTF-8.
#include "tools/import/import.h"
#include "tools/import/intake.h"

namespace dyad::importer {

// X.inter (user_id:token item_id:token timestamp:float ...), X.item beside it if it is there; a folder that holds one.
Status read_recbole(const Options& options, Intake& intake);
// A folder with sequences.txt, timestamps.txt (may be missing), items.jsonl (may be missing: the items' numbers
// then have no gaps).
Status read_s3rec(const Options& options, Intake& intake);
// An object a line: {"user": "a", "item": 7, "time": 1700000000}; keys are strings or whole numbers, time may be
// missing.
Status read_jsonl(const Options& options, Intake& intake);
// Columns user, item, time (integers, strings, timestamps); time may be missing.
Status read_parquet(const Options& options, Intake& intake);
// Items of a file in the form of catalogue.jsonl.
Status read_item_lines(const std::filesystem::path& path, Intake& intake);

}  // namespace dyad::importer
