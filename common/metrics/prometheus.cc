#include "common/metrics/prometheus.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include "common/metrics/families.h"

namespace dyad::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

MetricType type_of(Kind kind) {
  return kind == Kind::kCounter ? MetricType::Counter
         : kind == Kind::kGauge ? MetricType::Gauge
                                : MetricType::Histogram;
}

std::uint64_t whole(double value) { return value > 0 ? static_cast<std::uint64_t>(std::min(value, 9e15)) : 0; }

void put(ClientMetric& metric, const Family& family, const Figure& figure) {
  if (family.kind == Kind::kCounter) metric.counter.value = figure.value;
  if (family.kind == Kind::kGauge) metric.gauge.value = figure.value;
  if (family.kind != Kind::kHistogram) return;
  if (figure.part == "sum") metric.histogram.sample_sum = figure.value;
  else if (figure.part == "count") metric.histogram.sample_count = whole(figure.value);
  else metric.histogram.bucket.push_back({whole(figure.value), std::strtod(figure.part.c_str(), nullptr)});
}

// Of one histogram many figures come; any other has one a set of labels. An empty label is none.
ClientMetric& metric_of(prometheus::MetricFamily& family, const Labels& labels) {
  std::vector<ClientMetric::Label> wanted;
  for (const auto& [key, value] : labels)
    if (!value.empty()) wanted.push_back({key, value});
  for (ClientMetric& metric : family.metric)
    if (metric.label == wanted) return metric;
  family.metric.emplace_back().label = std::move(wanted);
  return family.metric.back();
}

}  // namespace

std::string prometheus_text(const std::vector<Figure>& figures) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (const Figure& figure : figures) {
    const Family* known = find_family(figure.family);
    if (known == nullptr || std::isnan(figure.value)) continue;
    auto& family = families[figure.family];
    family.name = figure.family;
    family.help = known->help;
    family.type = type_of(known->kind);
    put(metric_of(family, figure.labels), *known, figure);
  }
  std::vector<prometheus::MetricFamily> list;
  for (auto& [name, family] : families) {
    for (ClientMetric& metric : family.metric)   // by bound, not by its text
      std::ranges::sort(metric.histogram.bucket, {}, &ClientMetric::Bucket::upper_bound);
    list.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace dyad::metrics
