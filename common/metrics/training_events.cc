#include "common/metrics/training_events.h"

#include "common/metrics/wall_time.h"

namespace dyad::metrics {

std::map<std::string, double> scalars_of(const StepRecord& record) {
  std::map<std::string, double> scalars;
  for (const auto& [name, value] : record.values) {
    if (name == "lr") scalars["learning_rate"] = value;
    if (name == "loss") scalars["loss/total"] = value;
    if (name.starts_with("loss.")) scalars["loss/" + name.substr(5)] = value;
  }
  return scalars;
}

Result<EventFile> open_training_events(const std::filesystem::path& job_dir, Step from) {
  const auto folder = job_dir / kEventFolder;
  DYAD_TRY(records, read_step_log(job_dir / kStepLogName));
  DYAD_TRY(found, read_events(folder));
  std::map<Step, ScalarEvent> known;
  for (ScalarEvent& event : found) known[event.step] = std::move(event);
  std::vector<ScalarEvent> events;
  double time = unix_now();
  if (!known.empty()) time = known.begin()->second.wall_time;
  for (const StepRecord& record : records) {
    if (record.step > from) break;
    ScalarEvent event{time, record.step, {}};
    if (const auto old = known.find(record.step); old != known.end()) event = std::move(old->second);
    for (const auto& [tag, value] : scalars_of(record)) event.scalars[tag] = value;
    time = event.wall_time;
    events.push_back(std::move(event));
  }
  std::error_code ignored;
  if (from == Step{0}) std::filesystem::remove_all(folder / kValidationFolder, ignored);   // of another training
  return EventFile::replace(folder, events);
}

}  // namespace dyad::metrics
