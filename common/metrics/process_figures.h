#pragma once
// What the system says of this process. Threads: any.
#include <map>
#include <string>

namespace dyad::metrics {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds,
// process_start_time_seconds: the names that Prometheus' own libraries use. What the system does not tell is left out.
std::map<std::string, double> process_figures();

}  // namespace dyad::metrics
