#include "ops/launch/train_progress.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "common/base/log.h"
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

void TrainProgress::tick() {
  const double now = steady_now_s();
  if (now - asked_s_ < 1.0) return;
  asked_s_ = now;
  if (const auto status = fetch_status_of(job_dir_, kAskMs)) show(status.value());   // no answer: nothing new to show
}

void TrainProgress::show(const std::string& status) {
  json s = json::parse(status, nullptr, /*allow_exceptions=*/false);
  if (!s.is_object()) return;
  const auto step = s.value("step", std::uint64_t{0}), batches = s.value("batches", std::uint64_t{0});
  auto total = batches * s.value("epochs", std::uint64_t{0});
  if (const auto most = s.value("max_steps", std::uint64_t{0})) total = total ? std::min(total, most) : most;
  if (total == 0) return;
  if (!progress_) progress_ = std::make_unique<Progress>("train", total, "steps");
  std::string note = fmt::format(" epoch {}, {:.0f} samples/s", s.value("epoch", 0) + 1, s.value("samples_per_s", 0.0));
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
  if (!phases_.empty()) std::printf("seconds of worker 0: %s\n", phases_.c_str());
}

void print_resume(const std::filesystem::path& job_dir) {
  const auto status = fetch_status_of(job_dir, kStatusPatientMs);
  if (!status) return LOG_WARN("where the job goes on is in logs/coordinator.log: {}", status.error().message);
  const json s = json::parse(status.value(), nullptr, /*allow_exceptions=*/false);
  if (!s.is_object()) return;
  for (const auto& problem : s.value("skipped_checkpoints", std::vector<std::string>{}))
    LOG_WARN("checkpoint skipped: {}", problem);
  const auto step = s.value("resumed_from", std::uint64_t{0});
  std::puts(step == 0 ? "starting from the beginning" : fmt::format("resuming from step {}", step).c_str());
  std::fflush(stdout);
}

}  // namespace dyad::ops
