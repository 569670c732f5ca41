#pragma once
// The rows that EAGER keeps on the servers: one per item, and one per node of each code tree (the root's is never
// asked for). Their places in the job's list of tables are fixed: item, behaviour, semantic.
#include "common/config/config.h"
#include "common/data/trie.h"
#include "common/tables/tables.h"
#include "worker/job/job_data.h"

namespace dyad::worker {

inline constexpr std::size_t kTables = 3;

Tables eager_tables(const config::Config& config, const JobData& data);

}  // namespace dyad::worker
