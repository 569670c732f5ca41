#include "ops/launch/train_progress.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include "common/base/clock.h"
#include "ops/launch/job_status.h"

namespace dyad::ops {

using nlohmann::json;

void TrainProgress::tick() {
  const double now = steady_now_s();
  if (now - asked_s_ < 1.0) return;
  asked_s_ = now;
  if (const auto status = fetch_status_of(job_dir_)) show(status.value());   // no answer: nothing new to show
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
  if (const auto& curve = s["curve"]; curve.is_array() && !curve.empty())
    note += fmt::format(", loss {:.3f}", curve.back().value("loss", 0.0));
  const auto& evaluations = s["evaluations"];
  if (evaluations.is_array() && !evaluations.empty()) {
    const auto& metrics = evaluations.back()["metrics"];
    note += fmt::format(", validation NDCG@10 {:.4f}", metrics.value("fusion/ndcg@10", 0.0));
  }
  progress_->at(std::min(step, total), note);
}

void TrainProgress::finish() { if (progress_) progress_->finish(); }

}  // namespace dyad::ops
