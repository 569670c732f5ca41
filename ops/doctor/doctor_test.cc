// The doctor finds what is wrong, on this machine made wrong for it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include "common/net/job_key.h"
#include "ops/doctor/finding.h"

namespace dyad::ops::doctor {
namespace {

const Finding& of(const Findings& all, const std::string& thing) {
  static const Finding none{Health::kFail, "none", "no such finding", ""};
  const auto found = std::find_if(all.begin(), all.end(), [&](const Finding& f) { return f.thing == thing; });
  return found == all.end() ? none : *found;
}

TEST(Doctor, SaysWhatToDoExactlyWhereSomethingIsWrong) {
  config::Config config;
  config.job.dir = testing::TempDir();
  for (const auto& part : {look_at_machine(config), look_at_disk(config), look_at_network(config)})
    for (const Finding& f : part) {
      EXPECT_EQ(f.advice.empty(), f.health == Health::kOk) << f.thing;
      EXPECT_FALSE(f.found.empty()) << f.thing;
    }
}

TEST(Doctor, APortThatIsTakenFails) {
  const int taken = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&at), &size), 0);
  config::Config config;
  config.servers.bind = fmt::format("tcp://127.0.0.1:{}", ntohs(at.sin_port));
  EXPECT_EQ(of(look_at_network(config), "servers.bind").health, Health::kFail);
  close(taken);
  EXPECT_EQ(of(look_at_network(config), "servers.bind").health, Health::kOk);
  EXPECT_EQ(of(look_at_network(config), "loopback").health, Health::kOk);
  config.servers.bind = "tcp://nosuchhost.invalid:*";
  EXPECT_EQ(of(look_at_network(config), "servers.bind").health, Health::kFail);
}

TEST(Doctor, AKeyFileIsForItsOwnerAlone) {
  const std::string file = testing::TempDir() + "/doctor_" + std::to_string(getpid()) + ".key";
  config::Config config;
  config.security.key_file = file;
  EXPECT_EQ(of(look_at_network(config), "key file").health, Health::kFail) << "it is not there";
  ASSERT_TRUE(net::write_job_key(file));
  EXPECT_EQ(of(look_at_network(config), "key file").health, Health::kOk);
  chmod(file.c_str(), 0644);
  const Finding open_to_all = of(look_at_network(config), "key file");
  EXPECT_EQ(open_to_all.health, Health::kFail);
  EXPECT_NE(open_to_all.advice.find("chmod 600"), std::string::npos);
  chmod(file.c_str(), 0600);
  std::ofstream(file) << "no key";
  EXPECT_EQ(of(look_at_network(config), "key file").health, Health::kFail);
  unlink(file.c_str());
}

TEST(Doctor, AFolderThatCannotBeMadeFailsAndATrialLeavesNothing) {
  config::Config config;
  config.job.dir = "/proc/job";
  EXPECT_EQ(of(look_at_disk(config), "job.dir").health, Health::kFail);
  const auto folder = std::filesystem::path(testing::TempDir()) / ("doctor_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  config.job.dir = (folder / "not" / "there").string();
  EXPECT_NE(of(look_at_disk(config), "disk speed").found.find(folder.string()), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
}

TEST(Doctor, VariablesOfASchedulerAreNamed) {
  setenv("SLURM_JOB_ID", "7", 1);
  const Finding found = of(look_at_machine({}), "scheduler");
  unsetenv("SLURM_JOB_ID");
  EXPECT_EQ(found.health, Health::kWarn);
  EXPECT_NE(found.found.find("SLURM_JOB_ID"), std::string::npos);
}

}  // namespace
}  // namespace dyad::ops::doctor
