#pragma once
// What std::filesystem answers with an exception, as Results: a stale handle or a folder without permission on a shared
// file system must end a program with a code of the table, not with std::terminate. Threads: any; no state.
#include <filesystem>
#include <vector>
#include "common/base/result.h"

namespace dyad::io {

// A name that is not there, or a link to nothing, is false. Fails with kFailed naming the path where the system can't
// say.
Result<bool> exists(const std::filesystem::path& path);
Result<bool> is_folder(const std::filesystem::path& path);
// What lies in a folder, in the order of its names. Fails with kNotFound / kFailed naming it.
Result<std::vector<std::filesystem::path>> list_folder(const std::filesystem::path& folder);
// Fails with kFailed where the current folder is gone.
Result<std::filesystem::path> absolute(const std::filesystem::path& path);

}  // namespace dyad::io
