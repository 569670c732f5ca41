#pragma once
// Figures as Prometheus reads them (text format 0.0.4, by prometheus-cpp). Names and labels are made legal here.
// A name's ending says what it is, for figures travel as names and numbers alone (wire::Heartbeat):
//   NAME_total                                a counter: only grows while its process lives
//   NAME_sum, NAME_count (NAME_p50, NAME_p99) a summary NAME, and its quantiles
//   any other                                 a gauge
#include <map>
#include <string>
#include <vector>

namespace dyad::metrics {

struct Figure {
  std::string name;                              // "pull_seconds", "fusion/ndcg@10": exported as dyad_fusion_ndcg_10
  std::map<std::string, std::string> labels;     // role, id, ...
  double value = 0;
};

// One family a name, in the order of the names.
std::string prometheus_text(const std::vector<Figure>& figures);

}  // namespace dyad::metrics
