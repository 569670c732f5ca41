#pragma once
// The interaction log in a directory of segments (log_format.h), as a LogSource. Sees what is appended meanwhile.
#include <filesystem>
#include <memory>
#include "common/data/log_source.h"

namespace dyad::data {

// Fails with kNotFound if `log` holds no partitions.
Result<std::unique_ptr<LogSource>> open_directory_log(const std::filesystem::path& log);

}  // namespace dyad::data
