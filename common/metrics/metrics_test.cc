#include <gtest/gtest.h>
#include "common/metrics/figures.h"
#include "common/metrics/prometheus.h"

namespace dyad::metrics {
namespace {

TEST(Figures, DurationsGiveCountSumLastAndTheMaximumSinceTheLastLook) {
  Figures figures;
  figures.set("loss", 2.5);
  figures.add("rows", 3);
  figures.add("rows", 4);
  figures.observe("pull", 0.25);
  figures.observe("pull", 0.125);
  auto values = figures.values();
  EXPECT_EQ(values.at("rows"), 7);
  EXPECT_EQ(values.at("pull_count"), 2);
  EXPECT_EQ(values.at("pull_sum"), 0.375);
  EXPECT_EQ(values.at("pull_last"), 0.125);
  EXPECT_EQ(values.at("pull_max"), 0.25);
  figures.observe("pull", 0.0625);
  EXPECT_EQ(figures.values().at("pull_max"), 0.0625);
}

TEST(Prometheus, FiguresOfOneNameMakeOneFamilyAndNamesBecomeLegal) {
  const std::string text = prometheus_text(
      {{"fusion/ndcg@10", {{"split", "validation"}}, 0.5}, {"loss", {{"id", "0"}}, 2}, {"loss", {{"id", "1"}}, 3}});
  EXPECT_NE(text.find("dyad_fusion_ndcg_10{split=\"validation\"} 0.5"), std::string::npos) << text;
  EXPECT_NE(text.find("dyad_loss{id=\"0\"} 2"), std::string::npos) << text;
  EXPECT_EQ(text.find("# TYPE dyad_loss"), text.rfind("# TYPE dyad_loss")) << text;
}

}  // namespace
}  // namespace dyad::metrics
