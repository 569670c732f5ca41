#pragma once
// What the status page, /status.json, /metrics and `dyad status` show of the coordinator. Copies; no pointers into it.
#include <string>
#include "coordinator/coordinator.h"
#include "common/http/server.h"

namespace dyad::coordinator {

std::string status_json(Coordinator& coordinator, Millis now);
std::string metrics_text(Coordinator& coordinator, Millis now);
// 503 when the control loop has not turned for kLoopLateMs: whoever asks learns that though this thread answers, nobody
// gets work, commits or an answer (a disk that hangs under the journal, for one).
inline constexpr Millis kLoopLateMs = 5000;
http::Answer health(Millis since_tick_ms);
extern const char* const kStatusPage;          // HTML that draws /status.json; one file, no outside scripts

}  // namespace dyad::coordinator
