#pragma once
// What /metrics, /healthz and /readyz answer. Copies; no pointers into the coordinator.
#include <string>
#include "common/http/server.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/journal/past.h"

namespace dyad::coordinator {

std::string metrics_text(Coordinator& coordinator, const Past& past, Millis now);
// 503 when the control loop has not turned for kLoopLateMs: whoever asks learns that though this thread answers, nobody
// gets work, commits or an answer (a disk that hangs under the journal, for one).
inline constexpr Millis kLoopLateMs = 5000;
http::Answer health(Millis since_tick_ms);
// 503, naming who is waited for, until every server and every worker takes part.
http::Answer readiness(const Coordinator& coordinator);

}  // namespace dyad::coordinator
