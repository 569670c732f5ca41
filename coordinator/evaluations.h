#pragma once
// Results of evaluations by checkpoint and split, and which checkpoint is the best: the highest validation
// fusion/ndcg@10, at a tie the earlier. Test figures choose nothing. A pure core.
#include <map>
#include <set>
#include <string>
#include "coordinator/entries.h"

namespace dyad::coordinator {

inline constexpr const char* kBestSplit = "validation";
inline constexpr const char* kBestMetric = "fusion/ndcg@10";

class Evaluations {
 public:
  // A later result of the same checkpoint and split takes the place of the earlier.  kInvalid: no metrics, not finite.
  Status record(const wire::EvalResult& result, Entries& entries);
  // Among the committed checkpoints; step 0 when none was evaluated.
  Step best(const std::map<Step, CutCommitted>& committed) const;
  // Those among the committed checkpoints that have a validation result.
  std::set<Step> evaluated(const std::map<Step, CutCommitted>& committed) const;
  bool has(const std::string& folder, const std::string& split) const { return results_.count({folder, split}) > 0; }
  const std::map<std::pair<std::string, std::string>, std::map<std::string, double>>& results() const {
    return results_;
  }

  void apply(const Entry& entry);

 private:
  std::map<std::pair<std::string, std::string>, std::map<std::string, double>> results_;   // (folder, split)
};

}  // namespace dyad::coordinator
