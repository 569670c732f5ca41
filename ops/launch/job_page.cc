#include "ops/launch/job_page.h"

#include <nlohmann/json.hpp>
#include "common/ckpt/manifest.h"
#include "common/metrics/step_log.h"
#include "common/metrics/wall_time.h"
#include "coordinator/journal/past.h"
#include "coordinator/journal/start.h"
#include "ops/launch/job_on_disk.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kAskMs = 1500;                     // the page asks again every two seconds

// Another text whenever a file that the page is made of has changed.
std::string stamp_of(const fs::path& dir) {
  std::string stamp;
  for (const fs::path& file :
       {dir / metrics::kStepLogName, dir / coordinator::kJournalName, ckpt::checkpoints_dir(dir)}) {
    std::error_code none;
    const auto time = fs::last_write_time(file, none);
    stamp += fmt::format("{} ", none ? 0 : time.time_since_epoch().count());
  }
  return stamp;
}

}  // namespace

Result<JobPage> JobPage::open(const std::string& folder) {
  const fs::path dir = folder;
  std::error_code ignored;
  if (fs::exists(dir / ckpt::kManifestName, ignored))
    return fail(Code::kInvalid, "{} is the folder of a checkpoint; give that of its job, two above it", folder);
  if (!fs::is_directory(dir, ignored)) return fail(Code::kNotFound, "there is no folder {}", folder);
  JobPage page(dir, folder);
  DYAD_TRYV(page.from_folder());
  return page;
}

Result<std::string> JobPage::status() {
  auto answer = fetch_status_of(dir_, kAskMs);
  if (answer && json::accept(answer.value())) return answer;
  return from_folder();                          // none is there, or it was killed and left its address
}

Result<std::string> JobPage::from_folder() {
  std::string stamp = stamp_of(dir_);
  if (stamp == stamp_) return shown_;
  DYAD_TRY(text, status_on_disk(dir_));
  DYAD_TRY(past, coordinator::past_of(dir_));
  json status = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) return fail(Code::kFailed, "{}: its status is no JSON", dir_.string());
  status.update(past);
  status["time"] = metrics::unix_now();
  if (status["state"] == "finished") status["total_steps"] = status["step"];
  shown_ = status.dump(-1, ' ', false, json::error_handler_t::replace);
  stamp_ = std::move(stamp);
  return shown_;
}

}  // namespace dyad::ops
