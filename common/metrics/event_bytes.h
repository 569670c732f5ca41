#pragma once
// One event's bytes (event_file.h draws them). Threads: any.
#include <optional>
#include <string>
#include <string_view>
#include "common/metrics/event_file.h"

namespace dyad::metrics {

std::string framed(std::string_view event);                     // as a record
// The record at the begin of `bytes`, which is cut off; nothing when none is whole.
std::optional<std::string_view> take_record(std::string_view& bytes);

std::string version_event(double wall_time);
std::string start_event(double wall_time, Step step);
std::string scalar_event(const ScalarEvent& event);
// Nothing: an event of another sort, or none.
std::optional<ScalarEvent> parse_event(std::string_view bytes);

}  // namespace dyad::metrics
