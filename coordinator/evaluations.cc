#include "coordinator/evaluations.h"

#include <cmath>
#include <filesystem>

namespace dyad::coordinator {

Status Evaluations::record(const wire::EvalResult& result, Entries& entries) {
  auto path = std::filesystem::path(result.checkpoint);
  const std::string folder = path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
  if (folder.empty() || result.metrics.empty())
    return fail(Code::kInvalid, "an evaluation of \"{}\" with {} metrics says nothing", result.checkpoint,
                result.metrics.size());
  for (const auto& [name, value] : result.metrics)
    if (!std::isfinite(value)) return fail(Code::kInvalid, "evaluation of {}: {} is {}", folder, name, value);
  if (const auto it = results_.find({folder, result.split}); it != results_.end() && it->second == result.metrics)
    return ok();
  entries.push_back(Evaluated{folder, result.split, result.metrics});
  apply(entries.back());
  return ok();
}

Step Evaluations::best(const std::map<Step, CutCommitted>& committed) const {
  Step best{0};
  double best_value = 0;
  for (const auto& [step, cut] : committed) {
    const auto result = results_.find({cut.folder, kBestSplit});
    if (result == results_.end()) continue;
    const auto metric = result->second.find(kBestMetric);
    if (metric == result->second.end()) continue;
    if (best.value == 0 || metric->second > best_value) best = step, best_value = metric->second;
  }
  return best;
}

std::set<Step> Evaluations::evaluated(const std::map<Step, CutCommitted>& committed) const {
  std::set<Step> steps;
  for (const auto& [step, cut] : committed)
    if (has(cut.folder, kBestSplit)) steps.insert(step);
  return steps;
}

void Evaluations::apply(const Entry& entry) {
  if (const auto* run = std::get_if<RunStarted>(&entry); run && run->resume.value == 0)
    results_.clear();  // another training
  if (const auto* e = std::get_if<Evaluated>(&entry)) results_[{e->folder, e->split}] = e->metrics;
}

}  // namespace dyad::coordinator
