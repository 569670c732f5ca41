#pragma once
// `dyad codes report`: depth, balance and tightness of codes, and what a few clusters hold.
// Tightness of a level: the mean cosine (of centred vectors) between two items of a cluster, weighted by items, beside
// that of the same codes dealt to the items at random.
#include <filesystem>
#include <string>
#include <vector>
#include <nlohmann/json_fwd.hpp>
#include "common/base/result.h"
#include "common/data/dataset.h"
#include "tools/prepare/codes/build.h"

namespace dyad::codes {

struct LevelReport {
  std::size_t clusters = 0;                         // nodes at this level
  std::size_t children_min = 0, children_max = 0;   // of a node of the level above
  std::size_t items_min = 0, items_max = 0;         // of a node of this level
  double similarity = 0, random_similarity = 0;     // 0 where every cluster is one item
};
struct ClusterSample {
  std::int32_t code = 0;                            // of the first level
  std::size_t items = 0;
  std::vector<std::string> titles;                  // the first few
};
struct StreamReport {
  Stream stream = Stream::kBehaviour;
  std::size_t items = 0, width = 0;
  bool stale = false;                               // the vectors changed since the codes were built
  bool sealed = true;                               // the file carries its digest (common/data/item_files.h)
  std::vector<LevelReport> levels;
  std::vector<ClusterSample> samples;
};

struct ReportOptions {
  std::size_t clusters = 3, titles = 6;             // to show
  std::uint64_t seed = 1;                           // of the random codes
};

// Fails with kNotFound if vectors or codes are missing, kInvalid if they do not fit the dataset or each other.
Result<StreamReport> report_codes(const data::Dataset& dataset, Stream stream, const ReportOptions& options);
std::string to_text(const StreamReport& report);
nlohmann::json to_json(const StreamReport& report);

}  // namespace dyad::codes
