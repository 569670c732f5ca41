#pragma once
// Figures as Prometheus reads them (text format 0.0.4, by prometheus-cpp). What a figure is, its family says
// (families.h).
#include <map>
#include <string>
#include <vector>

namespace dyad::metrics {

using Labels = std::map<std::string, std::string>;

struct Figure {
  std::string family;                            // "dyad_rows"
  Labels labels;                                 // role, id, ...
  double value = 0;
  std::string part;                              // of a histogram: "count", "sum", or a bucket's bound, "0.25"
};

// A process's figures as they travel in its heartbeats, names and numbers alone, with their labels taken out of the
// names: "loss.gen.behaviour.1" -> dyad_loss{part="gen",stream="behaviour",level="1"}, "phase_push_seconds_total" ->
// dyad_phase_seconds_total{phase="push"}, "pull_wait_seconds.le.0.25" -> a bucket of dyad_pull_wait_seconds. Names that
// have no family are left out. `labels` are added to each.
std::vector<Figure> figures_of(const std::map<std::string, double>& values, const Labels& labels);
// Of an evaluation: "fusion/ndcg@10" -> dyad_ndcg{list="fusion",k="10"}.
std::vector<Figure> figures_of_evaluation(const std::map<std::string, double>& values, const Labels& labels);

// One family a name, in the order of the names, each with its help. Figures without a family are left out.
std::string prometheus_text(const std::vector<Figure>& figures);

}  // namespace dyad::metrics
