#pragma once
// File descriptors: as many as the system lets this process have, the last of them for our own files and for peers of
// this machine and user: strangers' connections cannot use them up. Threads: any.

namespace dyad {

inline constexpr unsigned kReservedDescriptors = 64;
// Once, when a program starts: raises the soft limit to the hard one, to 65536 at most. A program that calls it has
// an accept4(2) of ours (descriptors.cc), also for the libraries that it loads: a connection from a network that would
// take one of the last kReservedDescriptors is closed at once.
void raise_descriptor_limit();

}  // namespace dyad
