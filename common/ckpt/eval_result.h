#pragma once
// The results of evaluations that lie beside a checkpoint: eval-validation.json, eval-test.json. Only those that are
// the job's own are kept there: of what the checkpoint holds now, made as the job makes them. Others say nothing about
// which of its checkpoints is the best.
// Threads: any; no state.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <nlohmann/json_fwd.hpp>
#include "common/base/result.h"
#include "common/config/eval_settings.h"

namespace dyad::ckpt {

struct EvalOrigin {                                // of what content figures are, and how they were made
  std::string checkpoint, split;                   // name of the folder
  config::EvalSettings settings;
  std::uint64_t manifest = 0, dataset = 0, config = 0;   // digests: Manifest::digest, the log's, config::result_digest
};
nlohmann::json to_json(const EvalOrigin& origin);  // an object, for the metrics to be added

std::filesystem::path eval_file(const std::filesystem::path& checkpoint, const std::string& split);
// Why figures of this origin are not the job's own, for a person; empty when they are. The settings that count are
// those of the job now (<job.dir>/config.toml), else, where the checkpoint lies in no job, those it was made with.
Result<std::string> what_is_other(const EvalOrigin& origin, const std::filesystem::path& checkpoint);

// By list, metric and cutoff. Lists: "behaviour", "semantic"; "fusion", the merged one as eval.rank orders it; and as
// the other rule does, "fusion-own" or "fusion-sum".
using EvalMetrics = std::map<std::string, double>;         // "fusion/ndcg@10" ...
// Of results of versions that called the last two "own" and "sum".
EvalMetrics with_names_of_now(const EvalMetrics& metrics);

struct EvalResult {
  EvalOrigin origin;
  EvalMetrics metrics;
};
// The one beside the checkpoint. kNotFound: there is none; kInvalid: it is not the job's own.
Result<EvalResult> read_own_result(const std::filesystem::path& checkpoint, const std::string& split);

}  // namespace dyad::ckpt
