// How keys must go together. One row per rule; the first key named is the one that the error points at.
#include "common/config/rules.h"

#include <string>
#include <fmt/format.h>
#include "common/config/keys.h"

namespace dyad::config {
namespace {

// As written: no resolver is asked here, and a name that is not this one may be reached from elsewhere.
bool is_loopback(const std::string& host_port) {
  const std::string host = host_port.substr(0, host_port.rfind(':'));
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (numeric && host.starts_with("127."));
}

bool may_serve_pages(const std::string& host_port, const Security& security) {
  return is_loopback(host_port) || security.open_http || security.trusted_network;
}
constexpr const char* kOpenPages =
    "whoever reaches that address reads the pages, they ask for no key; use 127.0.0.1:0, or set "
    "security.open_http = true if that is meant";

struct Rule {
  const char* primary;
  const char* other;
  bool (*holds)(const Config&);
  const char* why;      // "{primary} = 3 and {other} = 4: <why>"
};

constexpr Rule kRules[] = {
  {"model.dim", "model.heads", [](const Config& c) { return c.model.dim % c.model.heads == 0; },
   "the width must be a multiple of the heads"},
  {"train.batch", "train.workers", [](const Config& c) { return c.train.batch >= c.train.workers; },
   "each worker needs at least one sample of a batch; raise train.batch or lower train.workers"},
  {"train.staleness", "train.mode", [](const Config& c) { return c.train.mode != "ssp" || c.train.staleness >= 1; },
   "ssp needs a staleness of at least 1; for 0 choose mode sync"},
  {"servers.buckets", "servers.groups", [](const Config& c) { return c.servers.buckets % c.servers.groups == 0; },
   "the buckets must be a multiple of the groups"},
  {"servers.groups", "servers.count", [](const Config& c) { return c.servers.groups >= c.servers.count; },
   "each server needs at least one group; raise servers.groups or lower servers.count"},
  {"servers.groups", "servers.threads",
   [](const Config& c) { return std::uint64_t{c.servers.count} * c.servers.threads <= c.servers.groups; },
   "each thread of each server needs at least one group; raise servers.groups or lower servers.threads"},
  {"coordinator.dead_after_ms", "coordinator.heartbeat_ms",
   [](const Config& c) { return c.coordinator.dead_after_ms >= 2 * std::uint64_t{c.coordinator.heartbeat_ms}; },
   "a process must be able to miss one heartbeat; raise coordinator.dead_after_ms to twice the heartbeat or more"},
  {"coordinator.http", "security.open_http",
   [](const Config& c) { return may_serve_pages(c.coordinator.http, c.security); }, kOpenPages},
  {"servers.http", "security.open_http",
   [](const Config& c) { return c.servers.http.empty() || may_serve_pages(c.servers.http, c.security); }, kOpenPages},
};

}  // namespace

std::optional<BrokenRule> broken_rule(const Config& config) {
  for (const Rule& rule : kRules) {
    if (rule.holds(config)) continue;
    const Key *a = find_key(rule.primary), *b = find_key(rule.other);
    return BrokenRule{a, b,
                      fmt::format("{} = {} does not go with {} = {}: {}", rule.primary, value_text(*a, config),
                                  rule.other, value_text(*b, config), rule.why)};
  }
  return std::nullopt;
}

}  // namespace dyad::config
