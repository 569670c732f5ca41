#pragma once
// What of a job's past its folder tells: curves, events, results. For the page while the job runs and after its end.
// Threads: one.
#include <deque>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include "common/metrics/curves.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/journal/history.h"

namespace dyad::coordinator {

// Steps a second over the last minute, stalls and checkpoints with it: what is left is judged by this.
class Pace {
 public:
  void at(double now_s, Step step);              // a step that goes back begins anew
  double steps_per_s() const;                    // 0: not known yet

 private:
  std::deque<std::pair<double, Step>> seen_;
};

class Past {
 public:
  explicit Past(std::filesystem::path job_dir);
  // Reads what was added since; problems are logged once.
  void refresh();
  void add(const Entry& entry, double unix_s) { history_.add(entry, unix_s); }
  // What worker 0 reports: its speed, and its losses where there is no steps.jsonl (train.log_every = 0, other disks).
  void note(double now_s, Step step, const std::map<std::string, double>& figures);
  const std::filesystem::path& job_dir() const { return job_dir_; }
  const History& history() const { return history_; }
  const Pace& pace() const { return pace_; }
  // {"curves": {"step": [..], "loss": [..], ..}, "speed": {..}, "events": [..], "restarts": n, ...}
  nlohmann::json to_json() const;

 private:
  const metrics::Curves& curves() const { return file_.exists() ? file_.curves() : reported_; }
  std::filesystem::path job_dir_;
  History history_;
  metrics::CurveFile file_;
  metrics::Curves reported_, speed_;
  Pace pace_;
  std::string problem_;
};

// The results of all evaluations, and an audit, as /status.json lists them.
nlohmann::json audit_json(const EpochAudited& audit);
nlohmann::json evaluations_json(const Evaluations& evaluations);
// The validation results as event files in <job_dir>/tensorboard/validation, where the training has made the folder
// above it (train.tensorboard).
Status write_validation_events(const std::filesystem::path& job_dir, const Evaluations& evaluations,
                               const History& history);
// to_json() of a job that runs no more, with its evaluations and audits.
Result<nlohmann::json> past_of(const std::filesystem::path& job_dir);

}  // namespace dyad::coordinator
