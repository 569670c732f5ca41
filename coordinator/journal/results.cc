#include "coordinator/journal/results.h"

#include "common/base/log.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "common/metrics/wall_time.h"
#include "common/io/files.h"
#include "coordinator/core/evaluations.h"
#include "coordinator/journal/past.h"
#include "coordinator/journal/start.h"

namespace dyad::coordinator {

namespace fs = std::filesystem;

namespace {

struct Opened {
  Journal journal;
  Entries entries;
};

Result<Opened> open_journal(const fs::path& job_dir) {
  const fs::path file = job_dir / kJournalName;
  DYAD_TRY(there, io::exists(file));
  if (!there)
    return fail(Code::kNotFound, "no {}: is {} the folder of a job?", file.string(), job_dir.string());
  std::vector<std::string> records;
  DYAD_TRY(journal, Journal::open(file, records));
  DYAD_TRY(entries, decode_entries(records, file.string()));
  return Opened{std::move(journal), std::move(entries)};
}

Status append(Journal& journal, const Entries& entries) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) lines.push_back(encode(entry, metrics::unix_now()));
  return journal.append(lines);
}

}  // namespace

Status record_evaluation(const fs::path& job_dir, const wire::EvalResult& result,
                         const std::optional<CutsOptions>& rule) {
  DYAD_TRY(opened, open_journal(job_dir));
  Evaluations evaluations;
  Cuts cuts(rule.value_or(CutsOptions{}));
  for (const Entry& entry : opened.entries) evaluations.apply(entry), cuts.apply(entry);
  Entries entries;
  DYAD_TRYV(evaluations.record(result, cuts.committed(), entries));
  DYAD_TRYV(append(opened.journal, entries));
  DYAD_TRY(history, History::read(job_dir));
  if (auto shown = write_validation_events(job_dir, evaluations, history); !shown)
    LOG_WARN("the evaluation is not in TensorBoard: {}", shown.error().message);
  const Step best = evaluations.best(cuts.committed());
  const fs::path checkpoints = ckpt::checkpoints_dir(job_dir);
  if (best.value > 0) { DYAD_TRYV(ckpt::point_best(checkpoints, best)); }
  if (!rule) return ok();
  Entries removed;
  for (const OldCut& old : cuts.to_remove(best, evaluations.evaluated(cuts.committed()))) {
    if (old.unevaluated) continue;             // its turn may still come
    DYAD_TRYV(ckpt::remove_checkpoint(checkpoints / cuts.committed().at(old.step).folder));
    cuts.removed(old.step, removed);
  }
  return append(opened.journal, removed);
}

Result<Unevaluated> unevaluated(const fs::path& job_dir) {
  DYAD_TRY(opened, open_journal(job_dir));
  Evaluations evaluations;
  Cuts cuts(CutsOptions{});
  Unevaluated found;
  for (const Entry& entry : opened.entries) {
    if (std::holds_alternative<RunStarted>(entry)) found.gone.clear();
    const auto* removed = std::get_if<CutRemoved>(&entry);
    const auto cut = removed ? cuts.committed().find(removed->step) : cuts.committed().end();
    if (cut != cuts.committed().end() && !evaluations.has(cut->second, kBestSplit))
      found.gone.push_back(cut->second.folder);
    evaluations.apply(entry), cuts.apply(entry);
  }
  for (const auto& [step, cut] : cuts.committed())
    if (!evaluations.has(cut, kBestSplit)) found.there.push_back(cut.folder);
  return found;
}

}  // namespace dyad::coordinator
