#pragma once
// The key of a job: one CURVE pair (RFC 26) in a file that every process of the job reads. Whoever holds it may
// connect, and traffic is encrypted; whoever does not can neither connect nor read. The file is its owner's alone
// (0600): one that others can read is refused. Threads: any.
#include <filesystem>
#include "common/net/socket.h"

namespace dyad::net {

// A new pair, readable by its owner alone. kInvalid when the file exists: a key in use is never overwritten.
Status write_job_key(const std::filesystem::path& file);
// The key that a job makes for itself: there whole or not at all, and the same one for all who make it at once. One
// that others can read is made private again, with a warning.
Status ensure_job_key(const std::filesystem::path& file);
// For both ends of a connection: our own pair is also what the other side must hold. An empty path: no authentication.
// kNotFound, or kInvalid when it is no such file or not private.
Result<Security> read_job_key(const std::filesystem::path& file);

}  // namespace dyad::net
