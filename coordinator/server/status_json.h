#pragma once
// What the page, /status.json and `dyad status` show of the coordinator. Copies; no pointers into it. docs/metrics.md
// describes the fields: scripts read them.
#include <string>
#include "coordinator/core/coordinator.h"
#include "coordinator/journal/past.h"

namespace dyad::coordinator {

inline constexpr int kStatusSchema = 1;        // another one when a field goes or means something else; new ones come
                                               // without
std::string status_json(Coordinator& coordinator, const Past& past, Millis now);
Step newest_step(const Coordinator& coordinator);               // of the workers
std::uint64_t total_steps(Coordinator& coordinator);            // where the job ends

}  // namespace dyad::coordinator
