#pragma once
// What the coordinator of a job answers at /status.json. Threads: any.
#include <filesystem>
#include <string>
#include "common/base/result.h"

namespace dyad::ops {

inline constexpr int kStatusPatientMs = 5000;      // for a person who asked

// The text of `base`/status.json. `base`: "http://host:port". Fails with kDisconnected, naming the address, also when
// the answer takes longer than timeout_ms.
Result<std::string> fetch_status(const std::string& base, int timeout_ms);
// The same of the coordinator that <job_dir>/coordinator.json names; kNotFound when there is none.
Result<std::string> fetch_status_of(const std::filesystem::path& job_dir, int timeout_ms);

}  // namespace dyad::ops
