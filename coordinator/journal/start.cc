#include "coordinator/journal/start.h"

#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/random_id.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/config/same_keys.h"
#include "common/metrics/wall_time.h"
#include "coordinator/journal/init_from.h"

namespace dyad::coordinator {

namespace fs = std::filesystem;

namespace {

Status check_same(const ckpt::Listed& found, const JobFacts& job) {
  const std::string dir = found.dir.string();
  const ckpt::Manifest& facts = job.manifest;
  if (found.manifest.config_digest != facts.config_digest) {
    DYAD_TRYV(config::check_same_keys(found.dir / ckpt::kConfigName, job.config));
    return fail(Code::kInvalid, "{} was trained with configuration {}, this is {}, by a build with other keys", dir,
                hex64(found.manifest.config_digest), hex64(facts.config_digest));
  }
  if (found.manifest.dataset_digest != facts.dataset_digest)
    return fail(Code::kInvalid, "{} was trained on dataset {}, job.data holds {}: resume on the same log", dir,
                hex64(found.manifest.dataset_digest), hex64(facts.dataset_digest));
  if (found.manifest.codes != facts.codes)
    return fail(Code::kInvalid,
                "{} was trained with other item codes than those of job.data: {}; resume with the same codes", dir,
                data::differing_parts(found.manifest.codes, facts.codes, "job.data"));
  if (found.manifest.vectors != facts.vectors)
    return fail(Code::kInvalid,
                "{} was trained towards other item vectors than those of job.data: {}; resume with the same vectors",
                dir, data::differing_parts(found.manifest.vectors, facts.vectors, "job.data"));
  return ok();
}

// To begin again where checkpoints are, though none can be read, would overwrite them one by one.
Status check_none(const fs::path& checkpoints, const std::vector<ckpt::Listed>& damaged) {
  if (damaged.empty()) return ok();
  std::string list;
  for (const ckpt::Listed& listed : damaged) list += "\n  " + listed.problem;
  return fail(Code::kInvalid,
              "{} holds {} checkpoint(s) and none can be resumed:{}\nmend one, or move them away to start from the "
              "beginning",
              checkpoints.string(), damaged.size(), list);
}

std::string beginning(const RunStarted& run) {
  return run.checkpoint.empty() ? "drawn weights"
                                : fmt::format("the weights of {} (manifest {})", run.checkpoint, hex64(run.manifest));
}

// With the weights of job.init_from, where it is set. A job that was lost before its first cut begins as it did:
// `before` is the run that the journal tells of, if one is resumed.
Result<RunStarted> begin_at_zero(RunStarted run, const RunStarted& before, const JobFacts& job) {
  const bool again = before.workers > 0 && before.resume == Step{0};
  std::string from = job.config.job.init_from;
  if (from.empty() && again) from = before.checkpoint;
  if (!from.empty()) {
    DYAD_TRY(given, given_weights(from, job, ckpt::Depth::kDigests));
    run.checkpoint = given.checkpoint.string();
    run.manifest = given.manifest.digest;
    run.facts[kInitFact] = given.words();
  }
  if (again && run.manifest != before.manifest)
    return fail(Code::kInvalid, "the job began with {}, now it would with {}: put back what it was, or start it "
                "without --resume, it has no checkpoint to lose", beginning(before), beginning(run));
  return run;
}

// The newest valid checkpoint as the start of a run; step 0 when there is no checkpoint.
Result<RunStarted> choose(const fs::path& checkpoints, StartMode mode, const JobFacts& job,
                          const Coordinator& coordinator) {
  const CoordinatorOptions& options = coordinator.options();
  const ckpt::Manifest& facts = job.manifest;
  RunStarted run{.job = facts.job, .config_digest = facts.config_digest, .workers = options.workers};
  run.data = options.data;
  run.eval = options.eval;
  run.run = RunId{random_id()};
  DYAD_TRY(found, ckpt::list_checkpoints(checkpoints, ckpt::Depth::kSizes));
  if (mode == StartMode::kFresh) {
    for (const ckpt::Listed& listed : found)
      if (listed.state != ckpt::State::kIncomplete)
        return fail(Code::kInvalid, "{} holds a checkpoint already: continue with --resume, or choose another job.dir",
                    listed.dir.string());
    return begin_at_zero(std::move(run), {}, job);
  }
  for (const ckpt::Listed& listed : found)
    if (listed.state == ckpt::State::kNewer)
      return fail(Code::kInvalid, "{}; going on from another checkpoint could overwrite it", listed.problem);
  std::vector<ckpt::Listed> skipped;
  auto newest = ckpt::newest_valid(checkpoints, &skipped);
  std::erase_if(skipped, [](const auto& listed) { return listed.state == ckpt::State::kIncomplete; });  // is none
  if (!newest.has_value()) {
    if (newest.error().code != Code::kNotFound) return newest.error();
    DYAD_TRYV(check_none(checkpoints, skipped));
    LOG_WARN("{}: starting from the beginning", newest.error().message);
    return begin_at_zero(std::move(run), coordinator.run(), job);
  }
  DYAD_TRYV(check_same(newest.value(), job));
  run.resume = newest.value().step;
  run.next = {newest.value().manifest.epoch, newest.value().manifest.next_batch};
  run.checkpoint = newest.value().dir.string();
  run.manifest = newest.value().manifest.digest;
  const auto& were = newest.value().manifest.facts;
  if (const auto init = were.find(kInitFact); init != were.end()) run.facts.insert(*init);
  run.tables = newest.value().manifest.tables;
  for (const ckpt::Listed& listed : skipped) run.skipped.push_back(listed.problem);
  return run;
}

// Disk and journal may disagree (a folder was copied, deleted or damaged): the disk is right.
Entries reconcile(const fs::path& checkpoints, const Cuts& cuts) {
  Entries entries;
  auto found = ckpt::list_checkpoints(checkpoints, ckpt::Depth::kSizes);
  std::map<Step, ckpt::Listed> valid;
  if (found.has_value())
    for (ckpt::Listed& listed : found.value())
      if (listed.state == ckpt::State::kValid) valid.emplace(listed.step, std::move(listed));
  for (const auto& [step, cut] : cuts.committed())
    if (!valid.count(step)) entries.push_back(CutRemoved{step});
  for (const auto& [step, listed] : valid)
    if (!cuts.is_committed(step) || cuts.committed().at(step).manifest != listed.manifest.digest)
      entries.push_back(CutCommitted{step,
                                     {listed.manifest.epoch, listed.manifest.next_batch},
                                     listed.dir.filename().string(),
                                     listed.manifest.facts,
                                     listed.manifest.digest});
  return entries;
}

}  // namespace

Result<Journal> begin(const fs::path& job_dir, StartMode mode, const JobFacts& job, Coordinator& coordinator,
                      Millis now) {
  const ckpt::Manifest& facts = job.manifest;
  std::error_code error;
  fs::create_directories(job_dir, error);
  if (error) return fail(Code::kFailed, "cannot create job.dir {}: {}", job_dir.string(), error.message());
  const fs::path file = job_dir / kJournalName, checkpoints = ckpt::checkpoints_dir(job_dir);
  std::vector<std::string> records;
  DYAD_TRY(journal, Journal::open(file, records));
  DYAD_TRY(old, decode_entries(records, file.string()));
  for (const Entry& entry : old) coordinator.apply(entry, now);
  if (mode == StartMode::kRecover) {
    if (coordinator.run().workers == 0)
      return fail(Code::kNotFound, "{}: no run to recover; start without --recover", file.string());
    if (coordinator.run().config_digest != facts.config_digest) {
      DYAD_TRYV(config::check_same_keys(job_dir / ckpt::kConfigName, job.config));
      return fail(Code::kInvalid,
                  "the run to recover has configuration {}, this is {}: recover with the same file and --set",
                  hex64(coordinator.run().config_digest), hex64(facts.config_digest));
    }
    const std::string others = data::differing_parts(coordinator.run().data, coordinator.options().data, "now");
    if (!others.empty() && !coordinator.run().data.empty())
      return fail(Code::kInvalid, "the run to recover trains on other data than job.data holds now: {}; put it back",
                  others);
    ckpt::sweep_staging(checkpoints, {{coordinator.run().run, RoutingEpoch{coordinator.membership().generation()}},
                                      coordinator.cuts().last()});
    LOG_INFO("recovered {} journal records; last checkpoint: step {}", records.size(), coordinator.cuts().last());
    return std::move(journal);
  }
  DYAD_TRY(run, choose(checkpoints, mode, job, coordinator));
  if (run.next.batch > 0 && run.next.batch >= coordinator.batches(run.next.epoch)) run.next = {run.next.epoch + 1, 0};
  Entries entries{run};
  coordinator.apply(run, now);
  for (Entry& entry : reconcile(checkpoints, coordinator.cuts())) {
    const auto* cut = std::get_if<CutCommitted>(&entry);
    if (cut && cut->step > run.resume) continue;               // passed over by choose(): damaged
    coordinator.apply(entry, now);
    entries.push_back(std::move(entry));
  }
  std::vector<std::string> lines;
  for (const Entry& entry : entries) lines.push_back(encode(entry, metrics::unix_now()));
  DYAD_TRYV(journal.append(lines));
  ckpt::sweep_staging(checkpoints, {{run.run, RoutingEpoch{coordinator.membership().generation()}}, run.resume});
  ckpt::sweep_temporaries(checkpoints);
  LOG_INFO("run {}: {}", hex64(run.run.value),
           run.resume.value == 0 ? "from the beginning with " + beginning(run)
                                 : fmt::format("resuming at {}", run.checkpoint));
  return std::move(journal);
}

}  // namespace dyad::coordinator
