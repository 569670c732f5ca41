#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <memory>
#include "common/net/job_key.h"
#include "ops/doctor/finding.h"

namespace dyad::ops::doctor {
namespace {

struct Place {
  std::string host, port;                      // port: "0" for any
};

// "tcp://127.0.0.1:*", "127.0.0.1:0", "[::1]:8080"
Place place_of(std::string text) {
  if (const auto scheme = text.find("://"); scheme != std::string::npos) text.erase(0, scheme + 3);
  const auto colon = text.rfind(':');
  Place place{text.substr(0, colon), colon == std::string::npos ? "0" : text.substr(colon + 1)};
  if (place.host.starts_with('[') && place.host.ends_with(']'))
    place.host = place.host.substr(1, place.host.size() - 2);
  if (place.port == "*" || place.port.empty()) place.port = "0";
  return place;
}

// A socket that listens there and one that reaches it; "" or what went wrong.
std::string try_place(const Place& place, bool connects) {
  addrinfo hints{}, *raw = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (const int error = getaddrinfo(place.host == "*" ? nullptr : place.host.c_str(), place.port.c_str(), &hints, &raw))
    return gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, &freeaddrinfo);
  const auto open = [&] { return socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0); };
  const int server = open(), client = connects ? open() : -1, yes = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  std::string wrong;
  if (bind(server, found->ai_addr, found->ai_addrlen) != 0 || listen(server, 1) != 0 ||
      getsockname(server, reinterpret_cast<sockaddr*>(&bound), &size) != 0 ||
      (connects && connect(client, reinterpret_cast<sockaddr*>(&bound), size) != 0))
    wrong = std::strerror(errno);
  close(server);
  if (client >= 0) close(client);
  return wrong;
}

Finding address(const std::string& key, const std::string& value) {
  if (value.find("://") != std::string::npos && !value.starts_with("tcp://"))
    return good(key, value + " (not tried)");
  const std::string wrong = try_place(place_of(value), /*connects=*/false);
  if (wrong.empty()) return good(key, value + " can be listened at");
  return bad(key, value + ": " + wrong,
             "end what holds the port (a job at work?), or set " + key + " to another address");
}

Finding key_file(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0)
    return bad("key file", fmt::format("{}: {}", file, std::strerror(errno)),
               "make one with `dyad key`, copy it to here");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return bad("key file", fmt::format("{} can be read by others (mode {:o})", file, status.st_mode & 0777),
               "chmod 600 it; if others have seen it, make a new one with `dyad key`");
  if (const auto read = net::read_job_key(file); !read)
    return bad("key file", read.error().message, "copy it again from the machine where it was made");
  return good("key file", file + " is readable by you alone");
}

}  // namespace

Findings look_at_network(const config::Config& config) {
  Findings out;
  const std::string wrong = try_place({"127.0.0.1", "0"}, /*connects=*/true);
  out.push_back(wrong.empty() ? good("loopback", "connects")
                              : bad("loopback", wrong, "bring up lo (ip link set lo up); look at the firewall"));
  out.push_back(address("coordinator.bind", config.coordinator.bind));
  out.push_back(address("servers.bind", config.servers.bind));
  out.push_back(address("coordinator.http", config.coordinator.http));
  if (!config.security.key_file.empty()) out.push_back(key_file(config.security.key_file));
  return out;
}

}  // namespace dyad::ops::doctor
