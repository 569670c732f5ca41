// steps.jsonl, the training curve of a job (common/metrics/step_log.h).
#include "common/metrics/step_log.h"
#include <algorithm>
#include "tests/fuzz/fuzz.h"

namespace dyad::fuzz {
namespace {

const metrics::StepRecord kRecords[] = {{Step{10}, 0, {{"loss", 12.84}, {"lr", 8e-05}}}, {Step{20}, 1, {}}};

bool same(const metrics::StepRecord& a, const metrics::StepRecord& b) {
  return a.step == b.step && a.epoch == b.epoch && a.values == b.values;
}

}  // namespace

std::vector<std::string> seeds() {
  {
    auto log = metrics::StepLog::open(folder() / "seed", Step{0}).value();
    for (const auto& record : kRecords) CHECK(log.append(record));
  }
  return {bytes_of(folder() / "seed")};
}

void decode(std::string_view bytes) {
  const std::filesystem::path file = put("steps.jsonl", bytes);
  const auto first = metrics::read_step_log(file);
  if (!first) return;
  CHECK(metrics::StepLog::open(file, Step{UINT64_MAX}).has_value());   // writes all again
  const auto second = metrics::read_step_log(file);
  CHECK(second.has_value() && std::ranges::equal(second.value(), first.value(), same));
}

}  // namespace dyad::fuzz
