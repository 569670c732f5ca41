#pragma once
// File descriptors: as many as the system lets this process have, and a few that strangers cannot use up. Connections
// that a port accepts are given by the kernel up to the soft limit; the last kReserved below the hard limit are kept
// for our own files. Threads: any.
#include <fcntl.h>
#include <sys/types.h>

namespace dyad {

inline constexpr unsigned kReservedDescriptors = 64;
// Once, when a program starts: raises the soft limit towards the hard one, to 65536 at most, less the reserve.
void raise_descriptor_limit();
// open(2), from the reserve where all others are in use.
int open_reserved(const char* path, int flags, mode_t mode = 0);
// accept4(2) is ours, too (descriptors.cc): on a socket of the file system it takes from the reserve.

}  // namespace dyad
