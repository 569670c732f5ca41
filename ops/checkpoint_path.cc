#include "ops/checkpoint_path.h"

#include "common/base/log.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/eval_result.h"
#include "common/ckpt/manifest.h"

namespace dyad::ops {

namespace fs = std::filesystem;

fs::path checkpoints_of(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path / "checkpoints", ignored) ? path / "checkpoints" : path;
}

std::string other_kind(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path / ckpt::kManifestName, ignored)) return "a checkpoint";
  if (fs::exists(path / "dataset.json", ignored)) return "a dataset";
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored) ? "a file" : "";
}

namespace {

// A cut that was never finished is the reader's to refuse, who knows more of it.
Result<fs::path> unless_it_is_none(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return fail(Code::kNotFound, "there is no {}; give a checkpoint (RUN/checkpoints/step-*) or a job's folder",
                path.string());
  const std::string kind = other_kind(path);
  if (kind.empty() && fs::canonical(path, ignored).filename().string().starts_with("step-")) return path;
  return fail(Code::kInvalid, "{} is {}; give a checkpoint (RUN/checkpoints/step-*) or a job's folder", path.string(),
              kind.empty() ? "no checkpoint: it has no " + std::string(ckpt::kManifestName) : kind);
}

}  // namespace

Result<fs::path> checkpoint_of(const fs::path& path, Best wanted) {
  std::error_code ignored;
  if (fs::exists(path / ckpt::kManifestName, ignored)) return path;
  const fs::path dir = checkpoints_of(path), best = dir / "best";
  std::string names;
  fs::path advised;
  if (fs::is_directory(dir, ignored)) {
    DYAD_TRY(found, ckpt::list_checkpoints(dir, ckpt::Depth::kSizes));
    for (const auto& c : found) {
      names += (names.empty() ? "" : ", ") + c.dir.filename().string();
      if (c.state == ckpt::State::kValid) advised = c.dir;
    }
  }
  const bool is_job = dir != path || !names.empty() || fs::is_directory(path / "logs", ignored);
  if (!is_job) return unless_it_is_none(path);
  if (advised.empty())
    return fail(Code::kNotFound, "{} is a job's folder, and it has no whole checkpoint yet{}", path.string(),
                names.empty() ? "" : ": " + names);
  if (fs::exists(best / ckpt::kManifestName, ignored)) {
    if (wanted == Best::kTake) {
      LOG_INFO("{} is a job's folder: taking {}", path.string(), best.string());
      return best;
    }
    advised = best;
  }
  return fail(Code::kInvalid, "{} is a job's folder, not a checkpoint; give {}, or another of {}: {}", path.string(),
              advised.string(), dir.string(), names);
}

nlohmann::json validation_of(const fs::path& checkpoint) {
  const auto own = ckpt::read_own_result(checkpoint, "validation");
  return own ? nlohmann::json(own.value().metrics) : nlohmann::json();
}

std::string figure(const nlohmann::json& metrics, const char* name) {
  const auto found = metrics.is_object() ? metrics.find(name) : metrics.end();
  return found != metrics.end() && found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "-";
}

}  // namespace dyad::ops
