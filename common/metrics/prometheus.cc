#include "common/metrics/prometheus.h"

#include <cctype>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace dyad::metrics {
namespace {

std::string legal(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain || (!out.empty() && out.back() != '_')) out += plain ? c : '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

}  // namespace

std::string prometheus_text(const std::vector<Figure>& figures) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (const Figure& figure : figures) {
    const std::string name = "dyad_" + legal(figure.name);
    auto& family = families[name];
    family.name = name;
    family.type = prometheus::MetricType::Gauge;
    prometheus::ClientMetric metric;
    for (const auto& [key, value] : figure.labels) metric.label.push_back({legal(key), value});
    metric.gauge.value = figure.value;
    family.metric.push_back(std::move(metric));
  }
  std::vector<prometheus::MetricFamily> list;
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace dyad::metrics
