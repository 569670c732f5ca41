#include "ops/launch/preflight.h"

#include <fstream>
#include <tuple>
#include <utility>
#include <gtest/gtest.h>
#include <unistd.h>
#include "common/io/temp_folder.h"

namespace dyad::ops {
namespace {

TEST(Preflight, TwoPartsOfAJobOnOneFixedPortAreRefusedByTheirKeys) {
  config::Config config;
  config.servers.count = 2;
  EXPECT_TRUE(check_ports(config));
  config.servers.bind = "tcp://127.0.0.1:7001";
  EXPECT_NE(check_ports(config).error().message.find("servers.bind"), std::string::npos);
  config.servers.count = 1;
  EXPECT_TRUE(check_ports(config));
  config.coordinator.http = "127.0.0.1:7001";
  EXPECT_EQ(check_ports(config).error().code, Code::kInvalid);
  config.coordinator.http = "127.0.0.1:7002";
  EXPECT_TRUE(check_ports(config));
  config.coordinator.bind = config.servers.bind;
  EXPECT_NE(check_ports(config).error().message.find("coordinator.bind"), std::string::npos);
}

TEST(Preflight, AFixedPortOfTheServersPagesIsForOneServerAndForNothingElse) {
  config::Config config;
  config.servers.count = 2;
  config.servers.http = "127.0.0.1:7001";
  EXPECT_EQ(check_ports(config).error().code, Code::kInvalid);
  EXPECT_NE(check_ports(config).error().message.find("servers.http"), std::string::npos);
  EXPECT_NE(check_ports(config).error().message.find("servers.count"), std::string::npos);
  config.servers.count = 1;
  EXPECT_TRUE(check_ports(config));
  for (auto [key, field, value] : {std::tuple("coordinator.http", &config.coordinator.http, "localhost:7001"),
                                   {"coordinator.bind", &config.coordinator.bind, "tcp://127.0.0.1:7001"},
                                   {"servers.bind", &config.servers.bind, "tcp://localhost:7001"}}) {
    const std::string before = std::exchange(*field, value);
    const auto checked = check_ports(config);
    ASSERT_FALSE(checked) << key;
    EXPECT_EQ(checked.error().code, Code::kInvalid);
    for (const char* name : {key, "servers.http"})
      EXPECT_NE(checked.error().message.find(name), std::string::npos) << checked.error().message;
    *field = before;
  }
  config.servers.count = 2;
  config.servers.http = "";
  EXPECT_TRUE(check_ports(config)) << "no pages, no port";
}

TEST(Preflight, AFolderThatCannotBeWrittenIsNamed) {
  const io::TempFolder folder;
  std::filesystem::create_directories(folder / "logs");
  EXPECT_TRUE(check_writable(folder.path()));
  if (::geteuid() == 0) GTEST_SKIP() << "everything can be written by this user";
  std::filesystem::permissions(folder / "logs", std::filesystem::perms::owner_read);
  EXPECT_NE(check_writable(folder.path()).error().message.find("logs"), std::string::npos);
}

}  // namespace
}  // namespace dyad::ops
