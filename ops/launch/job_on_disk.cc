#include "ops/launch/job_on_disk.h"

#include <nlohmann/json.hpp>
#include "common/base/log.h"
#include "common/base/processor.h"
#include "common/ckpt/checkpoint_list.h"
#include "ops/launch/job_lock.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {

namespace fs = std::filesystem;
using nlohmann::json;

bool is_finished(const config::Config& config, const ckpt::Manifest& last) {
  const auto& most = config.train.max_steps;
  return last.epoch >= config.train.epochs || (most > 0 && last.step.value >= most);
}

void warn_of_other_kernels(const config::Config& config) {
  const auto found = ckpt::list_checkpoints(ckpt::checkpoints_dir(config.job.dir), ckpt::Depth::kSizes);
  const auto now = choose_kernels(config.train.kernels);
  if (!found || !now || found.value().empty()) return;   // whoever needs them says what is wrong
  const ckpt::Listed& last = found.value().back();
  const auto before = last.manifest.facts.find("kernels");
  if (before == last.manifest.facts.end() || before->second == kernels_name(now.value())) return;
  LOG_WARN("{} was trained with {}, this processor goes on with {}: not the bytes of a job that never stopped; "
           "train.kernels names one that a job keeps",
           last.dir.string(), before->second, kernels_name(now.value()));
}

Result<std::string> status_on_disk(const fs::path& job_dir) {
  const fs::path file = job_dir / ckpt::kConfigName, dir = ckpt::checkpoints_dir(job_dir);
  std::error_code ignored;
  if (fs::exists(job_dir / ckpt::kManifestName, ignored))
    return fail(Code::kInvalid, "{} is a checkpoint; give its job's folder, or look at it with `dyad ckpt inspect`",
                job_dir.string());
  if (!fs::exists(file, ignored))
    return fail(Code::kNotFound, "no {}: {} is not the folder of a job (job.dir)", file.string(), job_dir.string());
  DYAD_TRY(config, config::load({file.string(), /*environment=*/false, {}}));
  DYAD_TRY(found, ckpt::list_checkpoints(dir, ckpt::Depth::kSizes));
  const std::string best = fs::read_symlink(dir / "best", ignored).filename().string();
  ckpt::Manifest last;
  json list = json::array();
  for (const auto& c : found) {
    if (c.state != ckpt::State::kValid) continue;
    const std::string name = c.dir.filename().string();
    last = c.manifest;
    list.push_back({{"folder", name},
                    {"step", c.step.value},
                    {"epoch", c.manifest.epoch},
                    {"next_batch", c.manifest.next_batch},
                    {"best", name == best}});
  }
  return json{{"job", config.job.name},
              {"state", is_finished(config, last) ? "finished" : "stopped"},
              {"step", last.step.value},
              {"epoch", last.epoch},
              {"batch", last.next_batch},
              {"epochs", config.train.epochs},
              {"max_steps", config.train.max_steps},
              {"processes", json::array()},
              {"checkpoints", list}}
      .dump();
}

Result<std::string> status_of(const fs::path& job_dir, int timeout_ms) {
  auto answer = fetch_status_of(job_dir, timeout_ms);
  if (answer) return answer;
  const Code code = answer.error().code;
  // A launcher that was killed leaves coordinator.json behind, but no lock.
  const bool left_behind = code == Code::kDisconnected && JobLock::take(job_dir).has_value();
  if (code != Code::kNotFound && !left_behind) return answer;
  return status_on_disk(job_dir);
}

}  // namespace dyad::ops
