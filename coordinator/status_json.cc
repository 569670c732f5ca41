#include "coordinator/status_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include "common/metrics/prometheus.h"
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

json evaluations(const Coordinator& coordinator) {
  json list = json::array();
  for (const auto& [key, result] : coordinator.evaluations().results()) {
    std::uint64_t step = 0;
    if (key.first.rfind("step-", 0) == 0) step = std::strtoull(key.first.c_str() + 5, nullptr, 10);
    list.push_back({{"checkpoint", key.first}, {"step", step}, {"split", key.second}, {"metrics", result.metrics},
                    {"settings", result.settings}});
  }
  return list;
}

Step newest_step(const Coordinator& coordinator) {
  Step newest{0};
  for (const auto& [name, m] : coordinator.membership().members())
    if (name.first == wire::Role::kWorker) newest = std::max(newest, m.last.step);
  return std::max(newest, coordinator.run().resume);
}

double worker_speed(const Coordinator& coordinator) {        // every worker says the speed of the whole job
  double speed = 0;
  for (const auto& [name, m] : coordinator.membership().members())
    if (const auto it = m.last.metrics.find("samples_per_s");
        name.first == wire::Role::kWorker && !m.left && it != m.last.metrics.end())
      speed = std::max(speed, it->second);
  return speed;
}

}  // namespace

std::string status_json(Coordinator& coordinator, Millis now) {
  const Step step = newest_step(coordinator);
  const Place place = coordinator.place_at(step);
  json curve = json::array(), audits = json::array(), pending = json::array();
  for (const CurvePoint& p : coordinator.curve())
    curve.push_back({{"step", p.step.value}, {"loss", p.loss}});
  for (const auto& [epoch, a] : coordinator.leases().audits())
    audits.push_back({{"epoch", epoch}, {"passed", a.passed}, {"samples", a.samples}, {"text", a.text}});
  for (const auto& [cut, parts] : coordinator.cuts().pending())
    pending.push_back({{"step", cut.value}, {"servers", parts.servers.size()}, {"worker", parts.worker_came}});
  std::string why;
  const bool ending =
      coordinator.end(now, why) != Coordinator::End::kNotYet || coordinator.membership().all_workers_left();
  const auto& options = coordinator.options();
  const auto& given_up = coordinator.cuts().all_given_up();
  return json{{"job", options.job},
              {"state", ending ? "finishing" : "running"},
              {"generation", coordinator.membership().generation()},
              {"step", step.value},
              {"epoch", place.epoch},
              {"batch", place.batch},
              {"batches", coordinator.batches(place.epoch)},
              {"epochs", options.leases.epochs},
              {"max_steps", options.leases.max_steps},
              {"samples_per_s", worker_speed(coordinator)},
              {"servers", options.servers},
              {"workers", options.workers},
              {"resumed_from", coordinator.run().resume.value},
              {"skipped_checkpoints", coordinator.run().skipped},
              {"processes", processes(coordinator, now)},
              {"checkpoints", checkpoints(coordinator)},
              {"pending_cuts", pending},
              {"given_up_cuts", {{"count", given_up.count},
                                 {"last_step", given_up.last.step.value},
                                 {"why", given_up.last.why}}},
              {"evaluations", evaluations(coordinator)},
              {"curve", curve},
              {"audits", audits}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string metrics_text(Coordinator& coordinator, Millis now) {
  std::vector<metrics::Figure> figures;
  for (const auto& [name, m] : coordinator.membership().members()) {
    const std::map<std::string, std::string> labels{{"role", role_name(name.first)},
                                                    {"id", std::to_string(name.second)}};
    figures.push_back({"up", labels, m.left || m.dead ? 0.0 : 1.0});
    figures.push_back({"heartbeat_age_seconds", labels, static_cast<double>(now - std::min(now, m.heard_ms)) / 1e3});
    figures.push_back({"step", labels, static_cast<double>(m.last.step.value)});
    figures.push_back({"incarnation", labels, static_cast<double>(m.joined.incarnation.value)});
    for (const auto& [key, value] : m.last.metrics)
      if (key != "step") figures.push_back({key, labels, value});
  }
  for (const auto& [key, result] : coordinator.evaluations().results())
    for (const auto& [metric, value] : result.metrics)
      figures.push_back({metric, {{"checkpoint", key.first}, {"split", key.second}}, value});
  figures.push_back({"generation", {}, static_cast<double>(coordinator.membership().generation())});
  figures.push_back({"checkpoints", {}, static_cast<double>(coordinator.cuts().committed().size())});
  figures.push_back({"last_checkpoint_step", {}, static_cast<double>(coordinator.cuts().last().value)});
  figures.push_back({"cuts_given_up_total", {}, static_cast<double>(coordinator.cuts().all_given_up().count)});
  figures.push_back({"audits_failed", {}, coordinator.leases().audit_failed() ? 1.0 : 0.0});
  return metrics::prometheus_text(figures);
}

http::Answer health(Millis since_tick_ms) {
  if (since_tick_ms <= kLoopLateMs) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8",
          fmt::format("the control loop has not turned for {} ms; job.dir's disk may hang\n", since_tick_ms)};
}

}  // namespace dyad::coordinator
