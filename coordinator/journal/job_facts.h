#pragma once
// What a job is, to compare with what checkpoints and journals say of theirs.
#include <cstdint>
#include <map>
#include <string>
#include "common/ckpt/manifest.h"
#include "common/config/config.h"
#include "common/data/identity.h"

namespace dyad::coordinator {

struct JobFacts {
  ckpt::Manifest manifest;   // what every one of the job says
  config::Config config;
  std::map<std::string, std::uint64_t> widths;   // of the item vectors by stream; empty: nobody reads them
};

inline JobFacts job_facts(const config::Config& config, const data::Identity& identity) {
  JobFacts job{{}, config, identity.widths};
  job.manifest.job = config.job.name;
  job.manifest.config_digest = config::result_digest(config);
  job.manifest.dataset_digest = identity.dataset;
  job.manifest.catalogue = identity.catalogue;
  job.manifest.codes = identity.codes;
  job.manifest.vectors = identity.vectors;
  job.manifest.groups = config.servers.groups;
  return job;
}

}  // namespace dyad::coordinator
