#pragma once
// steps.jsonl as TensorBoard shows it, and what a clock decides besides. Threads: any.
#include <filesystem>
#include <map>
#include "common/metrics/event_file.h"
#include "common/metrics/step_log.h"

namespace dyad::metrics {

inline constexpr const char* kSpeedTag = "samples_per_second";

// "loss.gen.behaviour.1" -> "loss/gen.behaviour.1", "loss" -> "loss/total", "lr" -> "learning_rate".
std::map<std::string, double> scalars_of(const StepRecord& record);
// To go on after step `from`: the series in <job_dir>/tensorboard becomes that of the steps of steps.jsonl up to it, no
// step twice and none missing; times of day and speeds stay what they were. After StepLog::open, which cuts
// steps.jsonl.
Result<EventFile> open_training_events(const std::filesystem::path& job_dir, Step from);

}  // namespace dyad::metrics
