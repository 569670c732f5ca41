#pragma once
// The page as one file, compiled in.
#include <string>

namespace dyad::coordinator {

extern const char* const kStatusPage;          // polls status.json beside it, and draws it
// The same for several jobs, each at its own "N/status.json", their curves over each other.
std::string page_of_jobs(const std::string& names_json);         // a JSON array of their names

}  // namespace dyad::coordinator
