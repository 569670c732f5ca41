#include "ops/launch/start_watch.h"

#include <signal.h>
#include <algorithm>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include "common/base/log.h"
#include "common/base/process.h"
#include "ops/launch/job_status.h"
#include "ops/launch/signs.h"

namespace dyad::ops {

using nlohmann::json;

namespace {

constexpr Millis kLookMs = 1000;
constexpr int kAskMs = 500;
constexpr std::string_view kServer = "server", kWorker = "worker";

bool lacks(const Roll& roll, std::string_view who) {
  return std::ranges::any_of(roll.missing, [&](const std::string& name) { return name.starts_with(who); });
}

}  // namespace

std::optional<Roll> call_roll(std::string_view status, std::uint32_t servers, std::uint32_t workers) {
  const json s = json::parse(status, nullptr, /*allow_exceptions=*/false);
  if (!s.is_object() || !s.contains("processes") || !s["processes"].is_array()) return std::nullopt;
  Roll roll;
  std::vector<std::string> present;
  for (const json& process : s["processes"]) {
    if (!process.is_object() || process.value("stale", true)) continue;
    present.push_back(fmt::format("{} {}", process.value("role", ""), process.value("id", 0u)));
    if (process.value("host", "") == host_name()) roll.here.push_back(process.value("pid", pid_t{0}));
  }
  for (const auto& [role, count] : {std::pair(kServer, servers), {kWorker, workers}})
    for (std::uint32_t id = 0; id < count; ++id)
      if (std::string name = fmt::format("{} {}", role, id); std::ranges::count(present, name) == 0)
        roll.missing.push_back(std::move(name));
  return roll;
}

void StartWatch::look(const std::vector<Child>& children, Millis now) {
  if (is_over_ || now < looked_ms_ + kLookMs) return;
  const Millis passed = looked_ms_ == 0 ? 0 : std::min(now - looked_ms_, 2 * kLookMs);
  looked_ms_ = now;
  const auto status = fetch_status_of(options_.job_dir, kAskMs);
  const auto roll = status ? call_roll(status.value(), options_.servers, options_.workers) : std::nullopt;
  if (!roll) return;                             // the coordinator is away: others wait for it, and not for ever
  is_over_ = roll->missing.empty();
  for (std::uint32_t id = 0; id < options_.servers; ++id)
    if (const std::string who = fmt::format("{} {}", kServer, id); std::ranges::count(roll->missing, who) > 0)
      look_at(who, children[id + 1].pid(), passed, *roll);
  if (lacks(*roll, kWorker)) {
    const pid_t mpirun = children.back().pid();
    for (const pid_t rank : children_of(mpirun))
      if (std::ranges::count(roll->here, rank) == 0) look_at("a rank", rank, passed, *roll);
    look_at("mpirun", mpirun, passed, *roll);    // last: without it nobody ends a stopped rank
  }
  say_who_is_missing(*roll, passed);
}

void StartWatch::look_at(const std::string& who, pid_t pid, Millis passed, const Roll& roll) {
  const auto stat = process_stat(pid);
  if (!stat || !stat->is_stopped) {
    stopped_ms_.erase(pid);
    return;
  }
  Millis& stopped = stopped_ms_[pid];
  stopped += passed;
  if (stopped <= options_.bound_ms) return;
  LOG_WARN("{} (process {}) has been stopped (SIGSTOP) for {} s before it registered, and is killed; the job waits for "
           "{}", who, pid, stopped / 1000, fmt::join(roll.missing, ", "));
  ::kill(pid, SIGKILL);
  stopped_ms_.erase(pid);
}

void StartWatch::say_who_is_missing(const Roll& roll, Millis passed) {
  waited_ms_ = roll.missing == missing_ ? waited_ms_ + passed : 0;
  missing_ = roll.missing;
  if (is_over_ || waited_ms_ < options_.bound_ms) return;
  LOG_WARN("not registered after {} s: {}; still loading, or waiting for a disk or another machine? See {}",
           waited_ms_ / 1000, fmt::join(roll.missing, ", "), (options_.job_dir / "logs").string());
  waited_ms_ = 0;
}

}  // namespace dyad::ops
