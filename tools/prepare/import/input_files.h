#pragma once
// The files that a command line of jsonl or parquet means: a folder stands for those in it. Threads: any; no state.
#include "tools/prepare/import/import.h"
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

// What lies in a folder, in the order of the names, but for hidden files (macOS leaves ._NAME beside NAME) and those
// that begin with '_', as Spark's marks do.
Result<std::vector<std::filesystem::path>> visible_files(const std::filesystem::path& folder);

// Folders give their files of the format's ending (packed by gzip too, where it is text) in the order of their names,
// but for those that are not visible and the file of items; the other files are told to the intake as not used. Fails
// with kNotFound for what is not there, kInvalid for a folder without such a file.
Result<std::vector<std::filesystem::path>> input_files(const Options& options, const std::vector<std::string>& endings,
                                                       Intake& intake);

}  // namespace dyad::importer
