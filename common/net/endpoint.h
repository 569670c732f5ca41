#pragma once
// Addresses as people write them, into what ZeroMQ takes: "tcp://localhost:*", "tcp://[::1]:7000", "tcp://eth0:*",
// "tcp://myhost:7000", "tcp://0.0.0.0:*". Asks the system's resolver. Threads: any.
#include <string>
#include "common/base/result.h"

namespace dyad::net {

struct Endpoint {
  std::string text;                // for ZeroMQ
  bool ipv6 = false;               // the socket must speak it
  bool loopback = false;           // to listen at: only this machine reaches it
};
// To listen at: a name becomes the address that it has here (IPv4 before IPv6), an interface's stays for ZeroMQ.
// kInvalid, naming what is wrong, when it is no address of this machine.
Result<Endpoint> listen_endpoint(const std::string& text);
// To connect to: names stay, they are looked up anew for each attempt. kInvalid when malformed.
Result<Endpoint> connect_endpoint(const std::string& text);
// Where others reach a socket that is bound to `bound`: "tcp://0.0.0.0:7000" and "tcp://[::]:7000" are no address for
// others; this host's name is where it can be looked up, else the address of an interface.
std::string announced_endpoint(const std::string& bound);
// "localhost", "127.0.0.1", "[::1]", "::1": an address of this machine that no other reaches.
bool is_loopback_host(const std::string& host);

}  // namespace dyad::net
