#include "common/metrics/prometheus.h"

#include <array>
#include <cctype>
#include <functional>
#include <set>
#include <string_view>
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

using prometheus::ClientMetric;
using prometheus::MetricType;
using Names = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, 4> kSummaryEndings{"_sum", "_count", "_p50", "_p99"};

// A family's name, its kind, and, of a summary, what this figure is in it.
struct Place {
  std::string_view family, ending;
  MetricType type = MetricType::Gauge;
};

Place place_of(std::string_view name, const Names& names) {
  if (name.ends_with("_total")) return {name, {}, MetricType::Counter};
  for (const std::string_view ending : kSummaryEndings) {
    if (!name.ends_with(ending)) continue;
    const std::string base(name.substr(0, name.size() - ending.size()));
    if (names.count(base + "_sum") > 0 && names.count(base + "_count") > 0)
      return {name.substr(0, base.size()), ending, MetricType::Summary};
  }
  return {name, {}, MetricType::Gauge};
}

void put(ClientMetric& metric, const Place& place, double value) {
  if (place.type == MetricType::Counter) metric.counter.value = value;
  if (place.type == MetricType::Gauge) metric.gauge.value = value;
  if (place.ending == "_sum") metric.summary.sample_sum = value;
  if (place.ending == "_count") metric.summary.sample_count = static_cast<std::uint64_t>(value);
  if (place.ending == "_p50") metric.summary.quantile.push_back({0.5, value});
  if (place.ending == "_p99") metric.summary.quantile.push_back({0.99, value});
}

// Of one summary four figures come; any other has one a set of labels.
ClientMetric& metric_of(prometheus::MetricFamily& family, const std::map<std::string, std::string>& labels) {
  std::vector<ClientMetric::Label> wanted;
  for (const auto& [key, value] : labels) wanted.push_back({legal(key), value});
  if (family.type == MetricType::Summary)
    for (ClientMetric& metric : family.metric)
      if (metric.label == wanted) return metric;
  family.metric.emplace_back().label = std::move(wanted);
  return family.metric.back();
}

}  // namespace

std::string prometheus_text(const std::vector<Figure>& figures) {
  Names names;
  for (const Figure& figure : figures) names.insert(figure.name);
  std::map<std::string, prometheus::MetricFamily> families;
  for (const Figure& figure : figures) {
    const Place place = place_of(figure.name, names);
    const std::string name = "dyad_" + legal(std::string(place.family));
    auto& family = families[name];
    family.name = name;
    family.type = place.type;
    put(metric_of(family, figure.labels), place, figure.value);
  }
  std::vector<prometheus::MetricFamily> list;
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace dyad::metrics
