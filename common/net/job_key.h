#pragma once
// The key of a job: one CURVE pair (RFC 26) in a file that every process of the job reads. Whoever holds it may
// connect, and traffic is encrypted; whoever does not can neither connect nor read. Threads: any.
#include <filesystem>
#include "common/net/socket.h"

namespace dyad::net {

// A new pair, readable by its owner alone. kInvalid when the file exists: a key in use is never overwritten.
Status write_job_key(const std::filesystem::path& file);
// For both ends of a connection: our own pair is also what the other side must hold. An empty path: no authentication.
// kNotFound, or kInvalid when it is no such file.
Result<Security> read_job_key(const std::filesystem::path& file);

}  // namespace dyad::net
