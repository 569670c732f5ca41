#pragma once
// Parts for the tests of the cores: a synthetic plan of work, a store in memory, senders.
#include <map>
#include <set>
#include "common/base/random.h"
#include "common/tables/tables_for_test.h"
#include "coordinator/core/coordinator.h"

namespace dyad::coordinator {

// Batches of `per_batch` samples per rank; sample checksums are draws, so that sums match by no accident.
class TestPlan final : public WorkPlan {
 public:
  TestPlan(std::uint64_t batches, std::uint32_t workers, std::uint64_t per_batch = 3)
      : batches_(batches), workers_(workers), per_batch_(per_batch) {}
  std::uint64_t batches(std::uint64_t) override { return batches_; }
  Sum whole() override {
    Sum sum;
    for (std::uint32_t r = 0; r < workers_; ++r) sum.add(part(0, 0, batches_, WorkerRank{r}));
    return sum;
  }
  Sum part(std::uint64_t epoch, std::uint64_t first, std::uint64_t end, WorkerRank rank) override {
    Sum sum;
    for (std::uint64_t b = first; b < end; ++b)
      for (std::uint64_t i = 0; i < per_batch_; ++i)
        sum.add({1, mix64((b + epoch) % batches_, rank.value, i)});  // shuffled by a turn
    return sum;
  }

 private:
  std::uint64_t batches_;
  std::uint32_t workers_;
  std::uint64_t per_batch_;
};

struct TestStore final : CutStore {
  std::string folder(Step step) const override { return fmt::format("step-{:010}", step.value); }
  std::string path(Step step) const override { return "run/checkpoints/" + folder(step); }
  Result<std::uint64_t> commit(const PendingCut& cut, const Tables&, const ckpt::Fence& fence) override {
    if (broken) return fail(Code::kFailed, "disk full");
    committed.emplace_back(cut, fence);
    exist.insert(cut.step);
    return manifest;
  }
  void drop(Step step, const ckpt::Fence&) override { dropped.insert(step); }
  Status remove(Step step) override { return exist.erase(step), ok(); }
  Status point_best(Step step) override { return best = step, ok(); }
  std::set<Step> exist, dropped;
  std::vector<std::pair<PendingCut, ckpt::Fence>> committed;       // as they came
  Step best;
  std::uint64_t manifest = 0;                                      // digest of the next one
  bool broken = false;
};

inline wire::Register a_worker() { return {.tables = tables_for_test()}; }
inline wire::Sender server(std::uint32_t id, std::uint64_t incarnation = 0) {
  return {wire::Role::kServer, id, Incarnation{incarnation}};
}
inline wire::Sender worker(std::uint32_t id, std::uint64_t incarnation = 0) {
  return {wire::Role::kWorker, id, Incarnation{incarnation}};
}

// The answer as a T, or the error.
template <class T> Result<T> as(wire::Body body) {
  if (auto* value = std::get_if<T>(&body)) return std::move(*value);
  if (auto* error = std::get_if<wire::ErrorReply>(&body)) return std::move(error->error);
  return fail(Code::kFailed, "another kind of answer");
}

}  // namespace dyad::coordinator
