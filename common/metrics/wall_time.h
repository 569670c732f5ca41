#pragma once
// The time of day, for people: it decides nothing.
#include <chrono>

namespace dyad::metrics {

inline double unix_now() {                       // seconds
  using namespace std::chrono;
  return duration<double>(system_clock::now().time_since_epoch()).count();
}

}  // namespace dyad::metrics
