#include "coordinator/journal/past.h"

#include <nlohmann/json.hpp>
#include "common/base/log.h"
#include "common/metrics/training_events.h"
#include "common/metrics/wall_time.h"
#include "coordinator/journal/journal.h"
#include "coordinator/journal/start.h"

namespace dyad::coordinator {

using nlohmann::json;

namespace {

constexpr double kPaceSeconds = 60;

double shown(double value) {
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}  // as wide as a picture

json to_json(const metrics::Curves& curves) {
  std::map<std::string, json> columns;
  const auto& points = curves.points();
  for (const auto& point : points)
    for (const auto& [name, sum] : point.sums) columns.try_emplace(name, json::array());
  json steps = json::array();
  for (const auto& point : points) {
    steps.push_back(point.step.value);
    for (auto& [name, column] : columns)
      column.push_back(point.sums.count(name) ? json(shown(point.mean(name))) : json());
  }
  json out{{"step", steps}};
  for (auto& [name, column] : columns) out[name] = std::move(column);
  return out;
}

json to_json(const std::deque<Event>& events) {
  json list = json::array();
  for (const Event& e : events)
    list.push_back({{"kind", kind_name(e.kind)},
                    {"time", e.unix_s > 0 ? json(e.unix_s) : json()},
                    {"step", e.step.value},
                    {"text", e.text}});
  return list;
}

}  // namespace

void Pace::at(double now_s, Step step) {
  if (!seen_.empty() && (step < seen_.back().second || now_s < seen_.back().first)) seen_.clear();
  seen_.emplace_back(now_s, step);
  while (seen_.size() > 2 && seen_.front().first < now_s - kPaceSeconds) seen_.pop_front();
}

double Pace::steps_per_s() const {
  if (seen_.size() < 2) return 0;
  const double seconds = seen_.back().first - seen_.front().first;
  const auto steps = static_cast<double>(seen_.back().second.value - seen_.front().second.value);
  return seconds > 0 ? steps / seconds : 0;
}

Past::Past(std::filesystem::path job_dir) : job_dir_(std::move(job_dir)), file_(job_dir_ / metrics::kStepLogName) {
  if (auto history = History::read(job_dir_)) history_ = std::move(history.value());
  else LOG_WARN("the page shows no events of before: {}", history.error().message);
  const auto events = metrics::read_events(job_dir_ / metrics::kEventFolder);
  if (events)
    for (const auto& event : events.value())
      if (const auto speed = event.scalars.find(metrics::kSpeedTag); speed != event.scalars.end())
        speed_.add({event.step, 0, {{"samples_per_s", speed->second}}});
}

void Past::refresh() {
  const auto status = file_.refresh();
  if (status || status.error().message == problem_) return;
  problem_ = status.error().message;
  LOG_WARN("{}", problem_);
}

void Past::note(double now_s, Step step, const std::map<std::string, double>& figures) {
  pace_.at(now_s, step);
  const auto& points = speed_.points();
  if (const auto speed = figures.find("samples_per_s");
      speed != figures.end() && (points.empty() || points.back().step != step))
    speed_.add({step, 0, {*speed}});
  metrics::StepRecord record{step, 0, {}};
  for (const auto& [name, value] : figures)
    if (name == "loss" || name.starts_with("loss.")) record.values[name] = value;
  const auto& reported = reported_.points();
  if (!record.values.empty() && (reported.empty() || reported.back().step != step)) reported_.add(record);
}

json Past::to_json() const {
  return {{"curves", coordinator::to_json(curves())},
          {"speed", coordinator::to_json(speed_)},
          {"events", coordinator::to_json(history_.events())},
          {"restarts", history_.restarts()},
          {"last_checkpoint_time", history_.last_cut_s() > 0 ? json(history_.last_cut_s()) : json()}};
}

json audit_json(const EpochAudited& a) {
  return {{"epoch", a.epoch}, {"passed", a.passed}, {"samples", a.samples}, {"text", a.text}};
}

json evaluations_json(const Evaluations& evaluations) {
  json list = json::array();
  for (const auto& [key, result] : evaluations.results())
    list.push_back({{"checkpoint", key.first},
                    {"step", step_of_folder(key.first).value},
                    {"split", key.second},
                    {"settings", result.settings},
                    {"metrics", result.metrics}});
  return list;
}

Status write_validation_events(const std::filesystem::path& job_dir, const Evaluations& evaluations,
                               const History& history) {
  const auto folder = job_dir / metrics::kEventFolder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) return ok();
  std::map<std::string, double> times;           // by checkpoint
  for (const Event& e : history.events())
    if (e.kind == Event::Kind::kEvaluated && e.unix_s > 0) times[e.text] = e.unix_s;
  std::vector<metrics::ScalarEvent> events;
  for (const auto& [key, result] : evaluations.results()) {       // folders sort as their steps do
    if (key.second != kBestSplit) continue;
    const auto time = times.find(key.first);
    events.push_back({time == times.end() ? metrics::unix_now() : time->second, step_of_folder(key.first),
                      result.metrics});
  }
  DYAD_TRYV(metrics::EventFile::replace(folder / metrics::kValidationFolder, events));
  return ok();
}

Result<json> past_of(const std::filesystem::path& job_dir) {
  Past past(job_dir);
  past.refresh();
  json out = past.to_json();
  Evaluations evaluations;
  json audits = json::array();
  auto records = read_journal(job_dir / kJournalName);
  if (records) {
    DYAD_TRY(entries, decode_entries(records.value(), (job_dir / kJournalName).string()));
    std::map<std::uint64_t, EpochAudited> last;
    for (const Entry& entry : entries) {
      evaluations.apply(entry);
      if (const auto* run = std::get_if<RunStarted>(&entry); run && run->resume.value == 0) last.clear();
      if (const auto* audit = std::get_if<EpochAudited>(&entry)) last[audit->epoch] = *audit;
    }
    for (const auto& [epoch, a] : last) audits.push_back(audit_json(a));
  } else if (records.error().code != Code::kNotFound) {
    return records.error();
  }
  out["evaluations"] = evaluations_json(evaluations);
  out["audits"] = std::move(audits);
  return out;
}

}  // namespace dyad::coordinator
