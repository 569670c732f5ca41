#include "ops/launch/train_progress.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/control/address.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {

using nlohmann::json;

namespace {

constexpr int kAskMs = 500;      // the launcher watches its processes between two questions

// "forward 10.0, backward 16.9, ...", the longest first.
std::string phases_of(const json& metrics) {
  constexpr std::string_view kPrefix = "phase_", kSuffix = "_seconds_total";
  std::vector<std::pair<double, std::string>> phases;
  for (const auto& [name, value] : metrics.items())
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix) && value.is_number())
      phases.emplace_back(value.get<double>(),
                          name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()));
  std::ranges::sort(phases, std::greater{});
  std::string text;
  for (auto& [seconds, name] : phases) {
    std::ranges::replace(name, '_', ' ');
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", name, seconds);
  }
  return text;
}

}  // namespace

void TrainProgress::tick(int stop_requests) {
  if (stop_requests > 0 && !is_stopping_) {
    is_stopping_ = true;
    notice("stopping: a checkpoint is written at the end of this step, then all processes leave; once more (Ctrl-C) "
           "stops at once, without it");
  }
  const double now = steady_now_s();
  if (now - asked_s_ < 1.0) return;
  asked_s_ = now;
  name_page();
  if (const auto status = fetch_status_of(job_dir_, kAskMs)) show(status.value());   // no answer: nothing new to show
}

// Its port is a new one when the coordinator was started again.
void TrainProgress::name_page() {
  const auto address = control::read_address(job_dir_);
  if (!address || address.value().http == page_) return;
  page_ = address.value().http;
  notice(fmt::format("page of the job: {}/", page_));
}

void TrainProgress::show(const std::string& status) {
  json s = json::parse(status, nullptr, /*allow_exceptions=*/false);
  if (!s.is_object()) return;
  const auto step = s.value("step", std::uint64_t{0}), batches = s.value("batches", std::uint64_t{0});
  auto total = batches * s.value("epochs", std::uint64_t{0});
  if (const auto most = s.value("max_steps", std::uint64_t{0})) total = total ? std::min(total, most) : most;
  if (total == 0) return;
  if (!progress_) progress_ = std::make_unique<Progress>("train", total, "steps");
  std::string note = fmt::format("epoch {}, {:.0f} samples/s", s.value("epoch", 0) + 1, s.value("samples_per_s", 0.0));
  if (const auto& loss = s["loss"]; loss.is_number()) note += fmt::format(", loss {:.3f}", loss.get<double>());
  const auto& evaluations = s["evaluations"];
  if (evaluations.is_array() && !evaluations.empty()) {
    const auto& metrics = evaluations.back()["metrics"];
    note += fmt::format(", validation NDCG@10 {:.4f}", metrics.value("fusion/ndcg@10", 0.0));
  }
  progress_->at(std::min(step, total), note);
  for (const json& process : s["processes"])
    if (process.value("role", "") == "worker" && process.value("id", 1) == 0)
      if (const std::string seen = phases_of(process["metrics"]); !seen.empty()) phases_ = seen;
}

void TrainProgress::end(bool finished) {
  if (progress_ && finished) progress_->finish();
  progress_.reset();           // ends the line of a bar that is not full
  if (!phases_.empty()) notice("seconds of worker 0: " + phases_);
}

void print_resume(const std::filesystem::path& job_dir) {
  const auto status = fetch_status_of(job_dir, kStatusPatientMs);
  if (!status) return LOG_WARN("where the job goes on is in logs/coordinator.log: {}", status.error().message);
  const json s = json::parse(status.value(), nullptr, /*allow_exceptions=*/false);
  if (!s.is_object()) return;
  for (const auto& problem : s.value("skipped_checkpoints", std::vector<std::string>{}))
    LOG_WARN("checkpoint skipped: {}", problem);
  const auto step = s.value("resumed_from", std::uint64_t{0});
  notice(step == 0 ? "starting from the beginning" : fmt::format("resuming from step {}", step));
}

}  // namespace dyad::ops
