#include "ops/launch/preflight.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <tuple>
#include <utility>
#include <gtest/gtest.h>
#include <unistd.h>
#include "common/base/clock.h"
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

TEST(Preflight, AWishToStopIsHeardWhileADriverIsAskedAndEndsWhoAsksIt) {
  const io::TempFolder folder;
  for (const char* name : {"dyad-coordinator", "dyad-ps", "dyad-worker", "mpirun"}) {
    std::ofstream(folder / name) << "#!/bin/sh\necho $$ > " << (folder / "pid").string()
                                 << "\ntrap '' TERM\nwhile :; do sleep 1; done\n";
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
  }
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder.path().string() + ":" + path).c_str(), 1);
  config::Config config;
  config.job.dir = (folder / "job").string();
  config.train.device = "cuda";
  const Millis begin = steady_now_ms();
  pid_t asked = 0;
  const auto stop = [&] { return asked > 0 || (std::ifstream(folder / "pid") >> asked && asked > 0); };
  EXPECT_TRUE(check_machine(config, true, stop));
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_LT(steady_now_ms() - begin, 20'000u);
  ASSERT_GT(asked, 0);
  EXPECT_NE(::kill(asked, 0), 0) << "it is still asked";
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
