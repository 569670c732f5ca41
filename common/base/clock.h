#pragma once
// Time as an argument: state machines take `now`, only a main.cc and the wiring around a core read a real clock.
#include <chrono>
#include <cstdint>

namespace dyad {

using Millis = std::uint64_t;   // monotonic, since an arbitrary start

inline Millis steady_now_ms() {
  using namespace std::chrono;
  return static_cast<Millis>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}
inline double steady_now_s() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}
inline std::int64_t unix_now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace dyad
