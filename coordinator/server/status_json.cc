#include "coordinator/server/status_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include "common/metrics/wall_time.h"
#include "common/wire/codec.h"

namespace dyad::coordinator {

using nlohmann::json;

namespace {

std::string shown_state(const Member& member) {
  return member.left ? member.reason : member.dead ? "dead" : member.last.state;
}

json processes(const Coordinator& coordinator, Millis now) {
  json list = json::array();
  for (const auto& [name, m] : coordinator.membership().members()) {
    const bool stale = m.joined.generation != coordinator.membership().generation();
    list.push_back({{"role", role_name(name.first)},
                    {"id", name.second},
                    {"state", shown_state(m)},
                    {"stale", stale},
                    {"incarnation", m.joined.incarnation.value},
                    {"heartbeat_age_ms", now - std::min(now, m.heard_ms)},
                    {"step", m.last.step.value},
                    {"host", m.joined.host},
                    {"pid", m.joined.pid},
                    {"address", m.joined.address},
                    {"metrics", m.last.metrics}});
  }
  return list;
}

json checkpoints(const Coordinator& coordinator) {
  json list = json::array();
  const Step best = coordinator.evaluations().best(coordinator.cuts().committed());
  for (const auto& [step, cut] : coordinator.cuts().committed())
    list.push_back({{"folder", cut.folder},
                    {"step", step.value},
                    {"epoch", cut.next.epoch},
                    {"next_batch", cut.next.batch},
                    {"best", step == best},
                    {"facts", cut.facts}});
  return list;
}

double worker_speed(const Coordinator& coordinator) {        // every worker says the speed of the whole job
  double speed = 0;
  for (const auto& [name, m] : coordinator.membership().members())
    if (const auto it = m.last.metrics.find("samples_per_s");
        name.first == wire::Role::kWorker && !m.left && it != m.last.metrics.end())
      speed = std::max(speed, it->second);
  return speed;
}

json audits(const Coordinator& coordinator) {
  json list = json::array();
  for (const auto& [epoch, audit] : coordinator.leases().audits()) list.push_back(audit_json(audit));
  return list;
}

json pending_cuts(const Coordinator& coordinator) {
  json list = json::array();
  for (const auto& [cut, parts] : coordinator.cuts().pending())
    list.push_back({{"step", cut.value}, {"servers", parts.servers.size()}, {"worker", parts.worker_came}});
  return list;
}

bool is_ending(const Coordinator& coordinator, Millis now) {
  std::string why;
  return coordinator.end(now, why) != Coordinator::End::kNotYet || coordinator.membership().all_workers_left();
}

// Null where it is not known: nobody trains yet, or the job stands still.
json seconds_left(Coordinator& coordinator, const Past& past, Step step) {
  const double pace = past.pace().steps_per_s();
  const std::uint64_t end = total_steps(coordinator);
  if (step.value >= end) return 0;
  return pace > 0 ? json(static_cast<double>(end - step.value) / pace) : json();
}

json loss(const Coordinator& coordinator) {       // as worker 0 reported it last
  const auto worker = coordinator.membership().members().find({wire::Role::kWorker, 0});
  if (worker == coordinator.membership().members().end()) return nullptr;
  const auto found = worker->second.last.metrics.find("loss");
  return found == worker->second.last.metrics.end() ? json() : json(found->second);
}

}  // namespace

Step newest_step(const Coordinator& coordinator) {
  Step newest{0};
  for (const auto& [name, m] : coordinator.membership().members())
    if (name.first == wire::Role::kWorker) newest = std::max(newest, m.last.step);
  return std::max(newest, coordinator.run().resume);
}

std::uint64_t total_steps(Coordinator& coordinator) {
  const auto& leases = coordinator.options().leases;
  const std::uint64_t all = coordinator.batches(0) * leases.epochs;
  return leases.max_steps > 0 ? std::min(all, leases.max_steps) : all;
}

std::string status_json(Coordinator& coordinator, const Past& past, Millis now) {
  const Step step = newest_step(coordinator);
  const Place place = coordinator.place_at(step);
  const auto& options = coordinator.options();
  const auto& cuts = coordinator.cuts();
  const auto& given_up = cuts.all_given_up();
  json status{{"schema", kStatusSchema},
              {"version", DYAD_VERSION},
              {"job", options.job},
              {"time", metrics::unix_now()},
              {"state", is_ending(coordinator, now) ? "finishing" : "running"},
              {"generation", coordinator.membership().generation()},
              {"step", step.value},
              {"total_steps", total_steps(coordinator)},
              {"epoch", place.epoch},
              {"batch", place.batch},
              {"batches", coordinator.batches(place.epoch)},
              {"epochs", options.leases.epochs},
              {"max_steps", options.leases.max_steps},
              {"samples_per_s", worker_speed(coordinator)},
              {"steps_per_s", past.pace().steps_per_s()},
              {"seconds_left", seconds_left(coordinator, past, step)},
              {"loss", loss(coordinator)},
              {"servers", options.servers},
              {"workers", options.workers},
              {"resumed_from", coordinator.run().resume.value},
              {"skipped_checkpoints", coordinator.run().skipped},
              {"processes", processes(coordinator, now)},
              {"checkpoints", checkpoints(coordinator)},
              {"pending_cuts", pending_cuts(coordinator)},
              {"given_up_cuts",
               {{"count", given_up.count}, {"last_step", given_up.last.step.value}, {"why", given_up.last.why}}},
              {"failed_cuts", cuts.failed()},
              {"evaluations", evaluations_json(coordinator.evaluations())},
              {"evaluation_backlog",
               cuts.committed().size() - coordinator.evaluations().evaluated(cuts.committed()).size()},
              {"audits", audits(coordinator)}};
  status.update(past.to_json());
  return status.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dyad::coordinator
