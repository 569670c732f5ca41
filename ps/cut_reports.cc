#include "ps/cut_reports.h"

#include "common/base/clock.h"
#include "common/base/log.h"

namespace dyad::ps {

void CutReports::put(Step step, Result<Parts> parts) {
  std::lock_guard lock(mutex_);
  written_.emplace_back(step, std::move(parts));
  more_.notify_one();
}

std::optional<std::pair<Step, Result<CutReports::Parts>>> CutReports::take(int timeout_ms) {
  std::unique_lock lock(mutex_);
  more_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return !written_.empty(); });
  if (written_.empty()) return std::nullopt;
  auto first = std::move(written_.front());
  written_.pop_front();
  return first;
}

bool CutReports::all_settled() const {
  std::lock_guard lock(mutex_);
  return written_.empty() && open_.empty();
}

Status CutReports::run(control::ControlClient& control, int timeout_ms) {
  while (auto cut = take(timeout_ms)) {
    wire::CutPart part{.step = cut->first};
    if (cut->second) part.files = std::move(cut->second.value());
    else part.failure = cut->second.error().message;
    DYAD_TRYV(say(control, open_.emplace(cut->first, std::move(part)).first));
    timeout_ms = 0;
  }
  if (steady_now_s() < again_s_) return ok();
  for (auto at = open_.begin(); at != open_.end();) {
    const auto part = at++;
    DYAD_TRYV(say(control, part));
  }
  return ok();
}

Status CutReports::say(control::ControlClient& control, std::map<Step, wire::CutPart>::iterator part) {
  const auto told = control.cut_part(part->second, 0);
  again_s_ = steady_now_s() + repeat_s_;
  const Code code = told ? Code{0} : told.error().code;
  if (code == Code::kDisconnected) return ok();
  if (!told && code != Code::kStale) return told.error();
  const std::string given_up = told ? told.value().given_up : told.error().message;
  if (!given_up.empty()) LOG_WARN("cut {} was given up: {}", part->first, given_up);
  if (!told || !given_up.empty() || told.value().committed) open_.erase(part);
  return ok();
}

}  // namespace dyad::ps
