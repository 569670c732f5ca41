#pragma once
// What the status page, /status.json, /metrics and `dyad status` show of the coordinator. Copies; no pointers into it.
#include <string>
#include "coordinator/coordinator.h"

namespace dyad::coordinator {

std::string status_json(Coordinator& coordinator, Millis now);
std::string metrics_text(Coordinator& coordinator, Millis now);
extern const char* const kStatusPage;          // HTML that draws /status.json; one file, no outside scripts

}  // namespace dyad::coordinator
