#include "ps/health.h"

#include <fstream>
#include <unistd.h>
#include <gtest/gtest.h>
#include "common/tables/tables_for_test.h"

namespace dyad::ps {
namespace {

namespace fs = std::filesystem;

class HealthTest : public ::testing::Test {
 protected:
  net::Context context_;
  std::unique_ptr<Server> server_;
  wire::Routing routing_;

  void SetUp() override {
    ServerOptions o;
    o.partition = {64, 16};
    o.checkpoint_folder = [](Step) { return fs::temp_directory_path(); };
    o.on_cut = [](Step, Result<std::vector<wire::FilePart>>) {};
    server_ = std::move(Server::bind(context_, o)).value();
    routing_.epoch = RoutingEpoch{1};
    routing_.tables = tables_for_test({.optimizer = {.name = "sgd"}});
    routing_.group_server.assign(16, 0);
    routing_.server_address = {server_->endpoint()};
    routing_.server_incarnation = {1};
  }
  http::Answer page(const std::string& path) { return health_page(path, *server_, ServerId{3}); }
};

TEST_F(HealthTest, AServerThatWaitsForTheOthersIsAliveAndNotReady) {
  EXPECT_EQ(page("/healthz").status, 200);
  EXPECT_EQ(page("/readyz").status, 503);
  EXPECT_EQ(page("/readyz").body, "waits for the coordinator, the other servers and the first worker\n");
  EXPECT_EQ(page("/").status, 404);
}

TEST_F(HealthTest, OneThatServesIsReadyAndShowsItsFigures) {
  ASSERT_TRUE(server_->start({Incarnation{1}, routing_, {}, {}}));
  EXPECT_EQ(page("/healthz").status, 200);
  EXPECT_EQ(page("/readyz").status, 200);
  const std::string text = page("/metrics").body;
  EXPECT_NE(text.find("dyad_pulls_total{"), std::string::npos) << text;
  EXPECT_NE(text.find("dyad_row_memory_bytes{"), std::string::npos) << text;
  EXPECT_NE(text.find("id=\"3\""), std::string::npos) << text;
}

TEST_F(HealthTest, OneThatCouldNotLoadItsRowsSaysWhy) {
  ASSERT_TRUE(server_->start({Incarnation{1}, routing_, Step{4}, "/nonexistent"}));
  EXPECT_FALSE(server_->loaded(10000));
  EXPECT_EQ(page("/healthz").status, 503);
  EXPECT_NE(page("/readyz").body.find("/nonexistent"), std::string::npos);
}

TEST_F(HealthTest, ALateEndLeavesTheFileOfItsSuccessorAlone) {
  const fs::path dir = fs::temp_directory_path() / ("dyad-health-late-" + std::to_string(::getpid()));
  const fs::path file = dir / "servers" / "ps-3.json";
  auto old = std::move(Health::start("127.0.0.1:0", *server_, ServerId{3})).value();
  ASSERT_TRUE(old->publish(dir, *server_, ServerId{3}));
  auto successor = std::move(Health::start("127.0.0.1:0", *server_, ServerId{3})).value();
  ASSERT_TRUE(successor->publish(dir, *server_, ServerId{3}));
  old.reset();
  EXPECT_TRUE(fs::exists(file));
  successor.reset();
  EXPECT_FALSE(fs::exists(file));
  fs::remove_all(dir);
}

TEST_F(HealthTest, ItsAddressIsInTheJobsFolderWhileItLives) {
  const fs::path dir = fs::temp_directory_path() / ("dyad-health-test-" + std::to_string(::getpid()));
  const fs::path file = dir / "servers" / "ps-3.json";
  {
    auto health = std::move(Health::start("127.0.0.1:0", *server_, ServerId{3})).value();
    ASSERT_TRUE(health->publish(dir, *server_, ServerId{3}));
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(text.find(health->address()), std::string::npos) << text;
  }
  EXPECT_FALSE(fs::exists(file));
  fs::remove_all(dir);
}

}  // namespace
}  // namespace dyad::ps
