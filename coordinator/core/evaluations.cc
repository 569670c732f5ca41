#include "coordinator/core/evaluations.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include "common/base/digest.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"

namespace dyad::coordinator {

namespace {

constexpr std::uint32_t kTimesMax = 64;          // a checkpoint and split may be evaluated anew, but not without bound

}  // namespace

Step step_of_folder(const std::string& folder) {
  return Step{folder.starts_with("step-") ? std::strtoull(folder.c_str() + 5, nullptr, 10) : 0};
}

// Journals of versions before say neither what a cut held nor how its run evaluated: then nobody can tell.
bool Evaluations::same_content(const Evaluated& result, const CutCommitted& cut) {
  return cut.manifest == 0 || result.manifest == cut.manifest;
}
bool Evaluations::same_settings(const Evaluated& result) const {
  const auto it = settings_.find(result.split);
  return it == settings_.end() || result.settings == it->second;
}

Status Evaluations::check(const Evaluated& result, const Committed& committed) const {
  const auto cut = std::find_if(committed.begin(), committed.end(),
                                [&](const auto& c) { return c.second.folder == result.folder; });
  if (result.split != kBestSplit && result.split != "test")
    return fail(Code::kInvalid, "an evaluation of the split \"{}\": there are {} and test", result.split, kBestSplit);
  if (cut == committed.end())
    return fail(Code::kStale, "an evaluation of \"{}\": the job has no such checkpoint now", result.folder);
  if (!same_content(result, cut->second))
    return fail(Code::kStale,
                "an evaluation of {} when it held something else (manifest {}, now {}): evaluate it again",
                result.folder, hex64(result.manifest), hex64(cut->second.manifest));
  if (!same_settings(result))
    return fail(Code::kInvalid, "an evaluation of {} with {}; this run of the job has {}: the figures do not compare",
                result.folder, result.settings, settings_.at(result.split));
  for (const auto& [name, value] : result.metrics)
    if (!std::isfinite(value)) return fail(Code::kInvalid, "evaluation of {}: {} is {}", result.folder, name, value);
  const auto times = times_.find({result.folder, result.split});
  if (times != times_.end() && times->second >= kTimesMax)
    return fail(Code::kOverloaded, "{} was evaluated {} times on {}: that is enough", result.folder, times->second,
                result.split);
  return ok();
}

Status Evaluations::record(const wire::EvalResult& message, const Committed& committed, Entries& entries) {
  auto path = std::filesystem::path(message.checkpoint);
  const std::string folder = path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
  if (folder.empty() || message.metrics.empty())
    return fail(Code::kInvalid, "an evaluation of \"{}\" with {} metrics says nothing", message.checkpoint,
                message.metrics.size());
  const Evaluated result{folder, message.split, message.metrics, message.manifest, message.settings};
  const auto known = results_.find({folder, result.split});
  if (known != results_.end() && known->second == result) return ok();
  DYAD_TRYV(check(result, committed));
  entries.push_back(result);
  apply(entries.back());
  return ok();
}

const Evaluated* Evaluations::find(const CutCommitted& cut, const std::string& split) const {
  const auto it = results_.find({cut.folder, split});
  if (it == results_.end() || !same_content(it->second, cut)) return nullptr;
  return same_settings(it->second) ? &it->second : nullptr;
}

Step Evaluations::best(const Committed& committed) const {
  Step best{0};
  double best_value = 0;
  for (const auto& [step, cut] : committed) {
    const Evaluated* result = find(cut, kBestSplit);
    if (result == nullptr) continue;
    const auto metric = result->metrics.find(kBestMetric);
    if (metric == result->metrics.end()) continue;
    if (best.value == 0 || metric->second > best_value) best = step, best_value = metric->second;
  }
  return best;
}

std::set<Step> Evaluations::evaluated(const Committed& committed) const {
  std::set<Step> steps;
  for (const auto& [step, cut] : committed)
    if (has(cut, kBestSplit)) steps.insert(step);
  return steps;
}

void Evaluations::apply(const Entry& entry) {
  if (const auto* run = std::get_if<RunStarted>(&entry)) {
    settings_ = run->eval;
    std::erase_if(results_, [&](const auto& result) {            // of a history that goes on no more
      return result.second.folder > ckpt::folder_name(run->resume) || run->resume.value == 0;
    });
    times_.clear();
  }
  if (const auto* e = std::get_if<Evaluated>(&entry)) {
    Evaluated& result = results_[{e->folder, e->split}] = *e;
    result.metrics = ckpt::with_names_of_now(e->metrics);          // a journal may be older than this version
    ++times_[{e->folder, e->split}];
  }
}

}  // namespace dyad::coordinator
