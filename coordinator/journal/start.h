#pragma once
// How a coordinator begins: the journal read back, and a run started fresh or at the newest valid checkpoint.
#include <filesystem>
#include "coordinator/core/coordinator.h"
#include "coordinator/journal/job_facts.h"
#include "coordinator/journal/journal.h"

namespace dyad::coordinator {

enum class StartMode {
  kFresh,      // kInvalid if the job's folder holds a checkpoint already
  kResume,     // a new run of the job, from the newest valid checkpoint (from the start if there is no checkpoint)
  kRecover,    // the coordinator alone was restarted; servers and workers still run, on the same data
};

inline constexpr const char* kJournalName = "coordinator.journal";

// Applies what the journal holds, and starts a run unless recovering. kInvalid: the checkpoint is of another
// configuration, dataset, codes or vectors, naming both digests; one is of a newer version; there are some and none is
// whole; or that of job.init_from can't be begun with (init_from.h), or is another than the job began with.
// kNotFound: nothing to recover.
Result<Journal> begin(const std::filesystem::path& job_dir, StartMode mode, const JobFacts& job,
                      Coordinator& coordinator, Millis now);

}  // namespace dyad::coordinator
