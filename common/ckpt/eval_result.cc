#include "common/ckpt/eval_result.h"

#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/ckpt/manifest.h"
#include "common/config/config.h"
#include "common/io/atomic_file.h"

namespace dyad::ckpt {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

EvalOrigin origin_of(const json& j) {              // throws json::exception
  EvalOrigin origin{j.at("checkpoint"), j.at("split"), {j.at("users_max"), j.at("beams"), j.at("rank")}};
  const auto digest = [&](const char* name) { return std::stoull(j.at(name).get<std::string>(), nullptr, 16); };
  origin.manifest = digest("manifest");
  origin.dataset = digest("dataset_digest");
  origin.config = digest("config_digest");
  return origin;
}

Result<config::EvalSettings> settings_of_job(const fs::path& checkpoint, const std::string& split) {
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(checkpoint, ignored), job = folder.parent_path().parent_path();
  const bool in_job = checkpoints_dir(job) == folder.parent_path() && fs::exists(job / kConfigName, ignored);
  DYAD_TRY(config,
           config::load({((in_job ? job : folder) / kConfigName).string(), /*environment=*/false, {}}));
  return config::eval_settings(config, split);
}

}  // namespace

json to_json(const EvalOrigin& origin) {
  return {{"checkpoint", origin.checkpoint},
          {"split", origin.split},
          {"users_max", origin.settings.users},
          {"beams", origin.settings.beams},
          {"rank", origin.settings.rank},
          {"manifest", hex64(origin.manifest)},
          {"dataset_digest", hex64(origin.dataset)},
          {"config_digest", hex64(origin.config)}};
}

fs::path eval_file(const fs::path& checkpoint, const std::string& split) {
  return checkpoint / ("eval-" + split + ".json");
}

Result<std::string> what_is_other(const EvalOrigin& origin, const fs::path& checkpoint) {
  DYAD_TRY(manifest, read_manifest(checkpoint));
  DYAD_TRY(job, settings_of_job(checkpoint, origin.split));
  const config::EvalSettings& used = origin.settings;
  if (origin.manifest != manifest.digest) return std::string("the checkpoint held something else then");
  if (origin.dataset != manifest.dataset_digest) return std::string("another dataset");
  if (origin.config != manifest.config_digest) return std::string("other keys by --set");
  if (used.users != job.users) return fmt::format("{} users, the job has {} (0: all)", used.users, job.users);
  if (used.beams != job.beams) return fmt::format("{} beams, the job has {}", used.beams, job.beams);
  if (used.rank != job.rank) return fmt::format("rank \"{}\", the job has \"{}\"", used.rank, job.rank);
  return std::string();
}

EvalMetrics with_names_of_now(const EvalMetrics& metrics) {
  EvalMetrics out;
  for (const auto& [name, value] : metrics) {
    const bool is_before = name.starts_with("sum/") || name.starts_with("own/");
    out.emplace(is_before ? "fusion-" + name : name, value);
  }
  return out;
}

Result<EvalResult> read_own_result(const fs::path& checkpoint, const std::string& split) {
  const fs::path file = eval_file(checkpoint, split);
  DYAD_TRY(text, io::read_file(file));
  EvalResult result;
  try {
    const json j = json::parse(text);
    result = {origin_of(j), with_names_of_now(j.at("metrics").get<EvalMetrics>())};
  } catch (const std::exception&) {                // of json, or no number where a digest is
    return fail(Code::kInvalid, "{}: not a result of this version; evaluate again", file.string());
  }
  DYAD_TRY(other, what_is_other(result.origin, checkpoint));
  if (result.origin.checkpoint != fs::path(checkpoint).filename() || result.origin.split != split)
    other = "of another checkpoint or split";
  if (other.empty()) return result;
  return fail(Code::kInvalid, "{}: another evaluation than the job's own ({}); evaluate again", file.string(), other);
}

}  // namespace dyad::ckpt
