#pragma once
// The files that a command line of jsonl or parquet means: a folder stands for those in it. Threads: any; no state.
#include "tools/prepare/import/import.h"
#include "tools/prepare/import/intake.h"

namespace dyad::importer {

// Folders give their files of the format's ending (packed by gzip too, where it is text) in the order of their names,
// but for hidden ones, those that begin with '_' as Spark's marks do, and the file of items; the other files are told
// to the intake as not used. Fails with kNotFound for what is not there, kInvalid for a folder without such a file.
Result<std::vector<std::filesystem::path>> input_files(const Options& options, const std::vector<std::string>& endings,
                                                       Intake& intake);

}  // namespace dyad::importer
