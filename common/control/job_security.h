#pragma once
// Which key the processes of a job know each other by: security.key_file, else <job.dir>/job.key, which the job makes
// for itself, on loopback too. None with security.trusted_network = true and no key_file. Threads: any.
#include <functional>
#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/net/socket.h"

namespace dyad::control {

inline constexpr const char* kJobKeyName = "job.key";

// For who starts a job: makes its key, if it has none yet.
Result<net::Security> start_security(const config::Config& config);
// For all others. A part that was started before the coordinator waits at most wait_ms, or until `stop`, for the key
// that the coordinator makes; kNotFound then.
Result<net::Security> join_security(const config::Config& config, Millis wait_ms = 0,
                                    const std::function<bool()>& stop = [] { return false; });

}  // namespace dyad::control
