#include "common/metrics/figures.h"

#include <algorithm>

namespace dyad::metrics {

void Figures::set(const std::string& name, double value) {
  std::lock_guard lock(mutex_);
  values_[name] = value;
}

void Figures::add(const std::string& name, double amount) {
  std::lock_guard lock(mutex_);
  values_[name] += amount;
}

void Figures::observe(const std::string& name, double seconds) {
  std::lock_guard lock(mutex_);
  values_[name + "_count"] += 1;
  values_[name + "_sum"] += seconds;
  values_[name + "_last"] = seconds;
  double& max = max_[name + "_max"];
  max = std::max(max, seconds);
}

std::map<std::string, double> Figures::values() {
  std::lock_guard lock(mutex_);
  std::map<std::string, double> out = values_;
  out.insert(max_.begin(), max_.end());
  max_.clear();
  return out;
}

}  // namespace dyad::metrics
