#include "coordinator/server/probes.h"

#include <algorithm>
#include "common/metrics/process_figures.h"
#include "common/metrics/prometheus.h"
#include "common/wire/codec.h"
#include "coordinator/server/status_json.h"

namespace dyad::coordinator {

namespace {

using metrics::Figure;
using metrics::Labels;
using Figures = std::vector<Figure>;

void append(Figures& to, Figures from) { std::ranges::move(from, std::back_inserter(to)); }

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_processes(const Coordinator& coordinator, Millis now, Figures& out) {
  append(out, metrics::figures_of(metrics::process_figures(), {{"role", "coordinator"}, {"id", "0"}}));
  for (const auto& [name, m] : coordinator.membership().members()) {
    const Labels labels{{"role", role_name(name.first)}, {"id", std::to_string(name.second)}};
    out.push_back({"dyad_up", labels, m.left || m.dead ? 0.0 : 1.0, {}});
    out.push_back({"dyad_heartbeat_age_seconds", labels, number(now - std::min(now, m.heard_ms)) / 1e3, {}});
    out.push_back({"dyad_process_step", labels, number(m.last.step.value), {}});
    out.push_back({"dyad_process_starts_total", labels, number(m.joined.incarnation.value), {}});
    append(out, metrics::figures_of(m.last.metrics, labels));
  }
}

// The newest and the best alone: a series a checkpoint would grow with the job's age.
void add_evaluations(const Coordinator& coordinator, Figures& out) {
  const auto& results = coordinator.evaluations().results();
  const Step best = coordinator.evaluations().best(coordinator.cuts().committed());
  for (const char* split : {"validation", "test"}) {
    Step newest{0};
    for (const auto& [key, result] : results)
      if (key.second == split) newest = std::max(newest, step_of_folder(key.first));
    for (const auto& [which, step] : {std::pair{"newest", newest}, std::pair{"best", best}})
      for (const auto& [key, result] : results) {
        if (key.second != split || step.value == 0 || step_of_folder(key.first) != step) continue;
        const Labels labels{{"which", which}, {"split", split}};
        out.push_back({"dyad_evaluated_step", labels, number(step.value), {}});
        append(out, metrics::figures_of_evaluation(result.metrics, labels));
      }
  }
}

void add_job(Coordinator& coordinator, const Past& past, Figures& out) {
  const Cuts& cuts = coordinator.cuts();
  const auto& options = coordinator.options();
  const Step step = newest_step(coordinator);
  const std::uint64_t epochs = options.leases.epochs, epoch = coordinator.place_at(step).epoch + 1;
  const std::map<std::string, double> values{
      {"step", number(step.value)},
      {"total_steps", number(total_steps(coordinator))},
      {"epoch", number(std::min(epoch, epochs))},
      {"epochs", number(epochs)},
      {"generation", number(coordinator.membership().generation())},
      {"restarts_total", number(past.history().restarts())},
      {"failed_audits", coordinator.leases().audit_failed() ? 1.0 : 0.0},
      {"checkpoints", number(cuts.committed().size())},
      {"pending_cuts", number(cuts.pending().size())},
      {"committed_cuts_total", number(past.history().committed_cuts())},
      {"failed_cuts_total", number(cuts.failed())},
      {"last_checkpoint_step", number(cuts.last().value)},
      {"evaluation_backlog",
       number(cuts.committed().size() - coordinator.evaluations().evaluated(cuts.committed()).size())}};
  append(out, metrics::figures_of(values, {}));
  if (past.history().last_cut_s() > 0)
    out.push_back({"dyad_last_checkpoint_timestamp_seconds", {}, past.history().last_cut_s(), {}});
  out.push_back({"dyad_build_info", {{"version", DYAD_VERSION}}, 1, {}});
  out.push_back({"dyad_job_info", {{"name", options.job}}, 1, {}});
}

}  // namespace

std::string metrics_text(Coordinator& coordinator, const Past& past, Millis now) {
  Figures figures;
  add_job(coordinator, past, figures);
  add_processes(coordinator, now, figures);
  add_evaluations(coordinator, figures);
  return metrics::prometheus_text(figures);
}

http::Answer health(Millis since_tick_ms) {
  if (since_tick_ms <= kLoopLateMs) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8",
          fmt::format("the control loop has not turned for {} ms; job.dir's disk may hang\n", since_tick_ms)};
}

http::Answer readiness(const Coordinator& coordinator) {
  const Membership& membership = coordinator.membership();
  const auto& options = coordinator.options();
  std::string missing;
  const auto look = [&](wire::Role role, std::uint32_t count) {
    for (std::uint32_t id = 0; id < count; ++id) {
      const auto it = membership.members().find({role, id});
      if (it != membership.members().end() && !it->second.dead && !it->second.left &&
          it->second.joined.generation == membership.generation())
        continue;
      missing += (missing.empty() ? "" : ", ") + member_name({role, id});
    }
  };
  look(wire::Role::kServer, options.servers), look(wire::Role::kWorker, options.workers);
  if (missing.empty()) return {200, "text/plain; charset=utf-8", "ready\n"};
  return {503, "text/plain; charset=utf-8", "waiting for " + missing + "\n"};
}

}  // namespace dyad::coordinator
