#include "common/control/job_security.h"

#include <chrono>
#include <filesystem>
#include <thread>
#include "common/net/job_key.h"

namespace dyad::control {
namespace {

constexpr Millis kLookAgainMs = 50;

bool has_own_key(const config::Config& config) {
  return config.security.key_file.empty() && !config.security.trusted_network;
}
std::filesystem::path own_key(const config::Config& config) {
  return std::filesystem::path(config.job.dir) / kJobKeyName;
}

}  // namespace

Result<net::Security> start_security(const config::Config& config) {
  if (has_own_key(config)) { DYAD_TRYV(net::ensure_job_key(own_key(config))); }
  return join_security(config);
}

Result<net::Security> join_security(const config::Config& config, Millis wait_ms, const std::function<bool()>& stop) {
  if (!has_own_key(config)) {
    auto given = net::read_job_key(config.security.key_file);
    if (given || given.error().code != Code::kNotFound) return given;
    return fail(Code::kNotFound, "{} (security.key_file); `dyad key` makes one", given.error().message);
  }
  for (const Millis end = steady_now_ms() + wait_ms;;) {
    auto key = net::read_job_key(own_key(config));
    if (key || key.error().code != Code::kNotFound) return key;
    if (steady_now_ms() >= end || stop())
      return fail(Code::kNotFound,
                  "{}; the coordinator makes it when it starts. Where this machine does not see the coordinator's "
                  "job.dir, make a key with `dyad key FILE`, copy it to every machine and set security.key_file",
                  key.error().message);
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookAgainMs));
  }
}

}  // namespace dyad::control
