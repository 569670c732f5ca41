#pragma once
// Results of evaluations by checkpoint and split, and which checkpoint is the best: the highest validation
// fusion/ndcg@10, at a tie the earlier. Test figures choose nothing. Figures compare only when they were made in the
// same way, so a result counts while it is of what the checkpoint holds, made with the settings that this run has. A
// pure core.
#include <map>
#include <set>
#include <string>
#include "coordinator/core/entries.h"

namespace dyad::coordinator {

inline constexpr const char* kBestSplit = "validation";
inline constexpr const char* kBestMetric = "fusion/ndcg@10";

Step step_of_folder(const std::string& folder);                  // "step-0000000040" -> 40; 0: no such name

class Evaluations {
 public:
  using Committed = std::map<Step, CutCommitted>;
  // A later result of the same checkpoint and split takes the place of the earlier.  kInvalid: no metrics, not finite,
  // other settings.  kStale: of no checkpoint that there is now.  kOverloaded: too often.
  Status record(const wire::EvalResult& result, const Committed& committed, Entries& entries);
  // Among the committed checkpoints; step 0 when none was evaluated.
  Step best(const Committed& committed) const;
  // Those among the committed checkpoints that have a validation result.
  std::set<Step> evaluated(const Committed& committed) const;
  bool has(const CutCommitted& cut, const std::string& split) const { return find(cut, split) != nullptr; }
  using Results = std::map<std::pair<std::string, std::string>, Evaluated>;   // (folder, split)
  const Results& results() const { return results_; }

  void apply(const Entry& entry);

 private:
  Status check(const Evaluated& result, const Committed& committed) const;
  static bool same_content(const Evaluated& result, const CutCommitted& cut);
  bool same_settings(const Evaluated& result) const;
  const Evaluated* find(const CutCommitted& cut, const std::string& split) const;   // that counts, else null
  Results results_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> times_;
  std::map<std::string, std::string> settings_;                  // RunStarted::eval
};

}  // namespace dyad::coordinator
