#pragma once
// Evaluations and the journal of a job whose coordinator runs no more. kOverloaded from each of these: one does run.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>
#include "coordinator/core/cuts.h"

namespace dyad::coordinator {

// Writes an evaluation down: journal and `best` link. With `rule`, checkpoints that are not kept by it any more, now
// that they are evaluated, are removed; without, all stay.
Status record_evaluation(const std::filesystem::path& job_dir, const wire::EvalResult& result,
                         const std::optional<CutsOptions>& rule = {});

// Checkpoints of the last run that have no validation result.
struct Unevaluated {
  std::vector<std::string> gone, there;      // folders: removed before their turn came; still to be evaluated
};
Result<Unevaluated> unevaluated(const std::filesystem::path& job_dir);

}  // namespace dyad::coordinator
