#pragma once
// The checkpoint of another job that a new one begins with instead of drawn weights (job.init_from). Weights alone are
// taken: the model must be the same one, and a row's key must mean the same item or code. The log, the vectors, the
// seed, the optimizers and their settings, workers and servers may be others.
#include <filesystem>
#include "common/ckpt/manifest.h"
#include "coordinator/journal/job_facts.h"

namespace dyad::coordinator {

inline constexpr const char* kInitFact = "init_from";   // among a manifest's facts

struct GivenWeights {
  std::filesystem::path checkpoint;          // no link in it: `best` may point elsewhere tomorrow
  ckpt::Manifest manifest;
  std::string words() const;                 // the fact: its path and its manifest's digest
};
// kNotFound: there is none. kInvalid: it is damaged, naming the file; of a newer version; of another model, naming each
// key with both values; of another catalogue or other codes, with both digests; or in job.dir, or around it.
Result<GivenWeights> given_weights(const std::filesystem::path& checkpoint, const JobFacts& job, ckpt::Depth depth);

}  // namespace dyad::coordinator
