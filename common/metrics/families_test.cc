#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <gtest/gtest.h>
#include "common/metrics/families.h"
#include "common/metrics/prometheus.h"

namespace dyad::metrics {
namespace {

std::string page(const std::string& name) {
  std::ifstream in(DYAD_SOURCE_DIR "/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What `promtool check metrics` asks, and the Prometheus manual's page on names besides.
TEST(Families, NamesKeepThePrometheusRules) {
  const std::regex legal("[a-z][a-z0-9]*(_[a-z0-9]+)*");
  const std::regex abbreviated("(^|_)(s|sec|secs|ms|us|ns|min|mins|h|hr|b|kb|mb|gb|kib|mib|milliseconds|minutes)($|_)");
  const std::regex kind_in_name("(^|_)(gauge|counter|histogram|summary)($|_)");
  std::set<std::string_view> seen;
  for (const Family& family : families()) {
    const std::string name(family.name);
    EXPECT_TRUE(seen.insert(family.name).second) << name << " twice";
    EXPECT_TRUE(name.starts_with("dyad_") || name.starts_with("process_")) << name;
    EXPECT_TRUE(std::regex_match(name, legal)) << name;
    EXPECT_FALSE(std::regex_search(name, abbreviated)) << name;
    EXPECT_FALSE(std::regex_search(name, kind_in_name)) << name;
    EXPECT_EQ(name.ends_with("_total"), family.kind == Kind::kCounter) << name;
    for (const char* taken : {"_sum", "_count", "_bucket"}) EXPECT_FALSE(name.ends_with(taken)) << name;
    EXPECT_TRUE(family.kind != Kind::kHistogram || name.ends_with("_seconds")) << name;
    EXPECT_GE(family.help.size(), 12u) << name;
    for (const char* bound_to_nothing : {"checkpoint", "folder", "pid", "address", "host"})
      EXPECT_EQ(family.labels.find(bound_to_nothing), std::string_view::npos) << name;
  }
}

TEST(Families, NoNameCarriesTheContentOfALabel) {
  for (const Family& family : families())
    for (const char* content : {"behaviour", "semantic", "fusion", "validation", "forward", "con_", "recog", "best"})
      EXPECT_EQ(family.name.find(content), std::string_view::npos) << family.name;
}

TEST(Docs, MetricsPageHasTheTableOfFamilies) {
  EXPECT_NE(page("docs/metrics.md").find("\n" + families_markdown()), std::string::npos)
      << "put this into docs/metrics.md:\n" << families_markdown();
}

TEST(Docs, AlertRulesAskForFamiliesThatExist) {
  const std::string rules = page("deploy/alerts.yml");
  const std::regex name("\\b(dyad|process)_[a-z0-9_]+");
  std::set<std::string> asked;
  for (auto at = std::sregex_iterator(rules.begin(), rules.end(), name); at != std::sregex_iterator(); ++at)
    asked.insert(at->str());
  EXPECT_GE(asked.size(), 5u);
  for (std::string family : asked) {
    if (family.ends_with("_seconds_bucket")) family.resize(family.size() - std::string("_bucket").size());
    EXPECT_NE(find_family(family), nullptr) << family;
  }
}

}  // namespace
}  // namespace dyad::metrics
