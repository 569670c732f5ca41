#pragma once
// A process's own figures, gathered by any thread and sent along with its heartbeats.
// Threads: any.
#include <map>
#include <mutex>
#include <string>

namespace dyad::metrics {

class Figures {
 public:
  void set(const std::string& name, double value);              // loss, step ...
  void add(const std::string& name, double amount = 1);         // a count since the start: pulled_rows, bytes
  // A duration in seconds: gives NAME_count, NAME_sum, NAME_last and NAME_max (since the last values()).
  void observe(const std::string& name, double seconds);
  std::map<std::string, double> values();

 private:
  std::mutex mutex_;
  std::map<std::string, double> values_, max_;
};

}  // namespace dyad::metrics
