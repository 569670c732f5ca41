#pragma once
// A socket in the file system beside a port, for peers of the same user on the same machine: its folder (0700) is the
// kernel's word that nobody else is there, so nothing has to be encrypted. Whoever binds last has the name: ZeroMQ
// unlinks what lies there before it binds and nothing when it closes, so a late end takes no successor's away; the file
// of one that has ended refuses connections. Threads: any.
#include <filesystem>
#include "common/base/result.h"

namespace dyad::net {

// Makes the folder of `socket`, ours alone. Fails where a socket cannot be: another's folder, a path too long.
Status prepare_local(const std::filesystem::path& socket);
// Whether a process of this machine listens there now, in a folder that is ours alone.
bool is_local_listener(const std::filesystem::path& socket);

}  // namespace dyad::net
