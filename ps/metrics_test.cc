#include "ps/metrics.h"

#include <gtest/gtest.h>
#include "common/metrics/prometheus.h"

namespace dyad::ps {
namespace {

TEST(ServerMetrics, EachFigureHasAFamilyOnTheMetricsPage) {
  Metrics counted;
  counted.pull_wait.add(0.02);
  const auto figures = counted.snapshot();
  EXPECT_EQ(metrics::figures_of(figures, {}).size(), figures.size());
  EXPECT_EQ(figures.at("pull_wait_seconds.le.0.025"), 1);
  EXPECT_EQ(figures.at("pull_wait_seconds.le.0.01"), 0);
}

}  // namespace
}  // namespace dyad::ps
