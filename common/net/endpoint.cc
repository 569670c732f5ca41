#include "common/net/endpoint.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include "common/base/process.h"

namespace dyad::net {
namespace {

constexpr std::string_view kTcp = "tcp://";

struct Parts { std::string host, port; bool bracketed = false; };

bool is_port(const std::string& port, bool listen) {
  if (listen && port == "*") return true;
  const bool digits =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return digits && std::stoul(port) <= 65535 && (listen || std::stoul(port) > 0);
}

Result<Parts> parse(const std::string& text, bool listen) {
  const std::size_t colon = text.rfind(':');
  if (text.starts_with(kTcp) && colon != std::string::npos && colon > kTcp.size()) {
    Parts parts{text.substr(kTcp.size(), colon - kTcp.size()), text.substr(colon + 1)};
    parts.bracketed = parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']';
    if (parts.bracketed) parts.host = parts.host.substr(1, parts.host.size() - 2);
    const bool plain = parts.host.find_first_of("[]/ ") == std::string::npos;
    const bool one_word = parts.bracketed || parts.host.find(':') == std::string::npos;
    if (plain && one_word && is_port(parts.port, listen)) return parts;
  }
  return fail(Code::kInvalid, "{} is no address: write tcp://HOST:PORT, as in {}", text,
              listen ? "tcp://127.0.0.1:*, tcp://[::1]:7000 or tcp://eth0:*"
                     : "tcp://10.0.0.5:7000 or tcp://node1:7000");
}

struct Addresses { std::optional<std::string> v4, v6; };     // the first of each family

Addresses look_up(const std::string& host) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  Addresses all;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return all;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    std::optional<std::string>& family = a->ai_family == AF_INET6 ? all.v6 : all.v4;
    char text[NI_MAXHOST];
    if (family || (a->ai_family != AF_INET && a->ai_family != AF_INET6)) continue;
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) family = text;
  }
  return all;
}

bool is_interface(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }

// An address of an interface of this machine; ZeroMQ takes an interface's IPv6 address only when it is told to.
bool has_ipv4(const std::string& interface) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return true;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(all, &::freeifaddrs);
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next)
    if (a->ifa_addr != nullptr && a->ifa_addr->sa_family == AF_INET && interface == a->ifa_name) return true;
  return false;
}

// The first IPv4 address that others may reach, of an interface that is up.
std::optional<std::string> outer_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(all, &::freeifaddrs);
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
    char text[NI_MAXHOST];
    const bool usable = a->ifa_addr != nullptr && a->ifa_addr->sa_family == AF_INET && (a->ifa_flags & IFF_UP) != 0 &&
                        (a->ifa_flags & IFF_LOOPBACK) == 0;
    if (usable && ::getnameinfo(a->ifa_addr, sizeof(sockaddr_in), text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      return text;
  }
  return std::nullopt;
}

bool is_v6_literal(const std::string& host) {
  in6_addr out;
  return ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &out) == 1;
}
bool is_v4_literal(const std::string& host) {
  in_addr out;
  return ::inet_pton(AF_INET, host.c_str(), &out) == 1;
}
bool is_loopback_address(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

Endpoint made(const std::string& address, const std::string& port, bool ipv6) {
  return {fmt::format("tcp://{}{}{}:{}", ipv6 ? "[" : "", address, ipv6 ? "]" : "", port), ipv6,
          is_loopback_address(address)};
}

}  // namespace

bool is_loopback_host(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
  if (is_v4_literal(bare) || is_v6_literal(bare)) return is_loopback_address(bare);
  const Addresses found = look_up(bare);
  return (found.v4 || found.v6) && (!found.v4 || is_loopback_address(*found.v4)) &&
         (!found.v6 || is_loopback_address(*found.v6));
}

Result<Endpoint> listen_endpoint(const std::string& text) {
  if (text.starts_with("ipc://") || text.starts_with("inproc://")) return Endpoint{text, false, true};
  DYAD_TRY(parts, parse(text, true));
  const auto& [host, port, bracketed] = parts;
  if (host == "*") return made("0.0.0.0", port, false);
  if (bracketed) {
    if (!is_v6_literal(host)) return fail(Code::kInvalid, "{}: [{}] is no IPv6 address", text, host);
    return made(host, port, true);
  }
  if (is_v4_literal(host)) return made(host, port, false);
  if (is_interface(host)) return Endpoint{text, !has_ipv4(host), host == "lo"};
  const Addresses found = look_up(host);
  if (found.v4) return made(*found.v4, port, false);
  if (found.v6) return made(*found.v6, port, true);
  return fail(Code::kInvalid, "{}: {} is no address, interface or known name of this machine", text, host);
}

Result<Endpoint> connect_endpoint(const std::string& text) {
  if (text.starts_with("ipc://") || text.starts_with("inproc://")) return Endpoint{text, false, true};
  DYAD_TRY(parts, parse(text, false));
  const auto& [host, port, bracketed] = parts;
  if (bracketed && !is_v6_literal(host)) return fail(Code::kInvalid, "{}: [{}] is no IPv6 address", text, host);
  if (bracketed || is_v4_literal(host)) return made(host, port, bracketed);
  const Addresses found = look_up(host);
  return Endpoint{text, !found.v4 && found.v6, false};
}

std::string announced_endpoint(const std::string& bound) {
  for (const std::string_view any : {"tcp://0.0.0.0:", "tcp://[::]:"}) {
    if (!bound.starts_with(any)) continue;
    const std::string port = bound.substr(any.size());
    const std::string name = host_name();
    const Addresses found = look_up(name);
    if (found.v4 || (found.v6 && any == "tcp://[::]:")) return fmt::format("tcp://{}:{}", name, port);
    return fmt::format("tcp://{}:{}", outer_address().value_or("127.0.0.1"), port);
  }
  return bound;
}

}  // namespace dyad::net
