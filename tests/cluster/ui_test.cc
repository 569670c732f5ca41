// `dyad ui` of a job that ended, asked as a browser asks.
#include <gtest/gtest.h>
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <nlohmann/json.hpp>
#include "common/io/atomic_file.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Page {
  int status = 0;
  std::string body;
};

class ClusterUi : public testing::Test {
 protected:
  // Serves these jobs; port_ is 0 if it does not come up.
  void serve(std::vector<std::string> jobs) {
    static int count = 0;
    const auto log = scratch() / ("ui" + std::to_string(count++) + ".log");
    std::vector<std::string> argv{program("dyad"), "ui"};
    argv.insert(argv.end(), jobs.begin(), jobs.end());
    child_.emplace(start("ui", argv, log));      // a log of its own: that of another has another port
    EXPECT_TRUE(soon([&] {
      const auto read = io::read_file(log);
      const std::string text = read ? read.value() : "";
      const auto at = text.find("127.0.0.1:"), end = text.find(' ', at == std::string::npos ? 0 : at);
      if (at == std::string::npos || end == std::string::npos) return false;
      port_ = std::stoi(text.substr(at + 10, end - at - 10));
      return true;
    })) << ops::tail(log, 20);
  }
  void TearDown() override {
    if (!child_) return;
    child_->signal(SIGTERM);
    EXPECT_TRUE(child_->wait_for(10'000)) << "it ends when it is asked to";
    EXPECT_EQ(child_->poll(), 0);
  }
  Page get(const std::string& path) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port_));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string text;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
      const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      (void)::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
      std::array<char, 4096> piece{};
      for (ssize_t n = 0; (n = ::recv(fd, piece.data(), piece.size(), 0)) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    const auto body = text.find("\r\n\r\n");
    if (body == std::string::npos) return {};
    return {std::stoi(text.substr(text.find(' ') + 1)), text.substr(body + 4)};
  }
  // As the page does it: again while something is loaded.
  json ask(const std::string& path, int status = 200) const {
    Page page;
    EXPECT_TRUE(soon([&] { return (page = get(path)).status != 202; })) << path;
    EXPECT_EQ(page.status, status) << path << ": " << page.body;
    return json::parse(page.body, nullptr, /*allow_exceptions=*/false);
  }
  std::optional<ops::Child> child_;
  int port_ = 0;
};

TEST_F(ClusterUi, CodeTreesHoldEachItemOnceAndComeNodeByNode) {
  serve({undisturbed().parent_path().parent_path().string()});
  const std::string page = get("/").body;
  EXPECT_LT(page.size(), 60'000u) << "the page itself holds no data";
  for (const std::string outside : {"http://", "https://", "src=", "@import", "url("})
    EXPECT_EQ(page.find(outside), std::string::npos) << "nothing comes from outside";
  for (const std::string stream : {"behaviour", "semantic"}) {
    std::set<std::string> items;
    const std::function<std::size_t(std::size_t)> walk = [&](std::size_t node) {
      const json now = ask("/0/tree/" + stream + "/" + std::to_string(node) + "/0");
      std::size_t below = 0;
      for (const json& child : now.at("children"))
        if (child.contains("id")) below += items.insert(child.at("id")).second;
        else below += walk(child.at("node"));
      EXPECT_EQ(now.at("items"), below) << stream << " " << node;
      return below;
    };
    EXPECT_EQ(walk(0), 120u);
    EXPECT_EQ(items.size(), 120u);
  }
  for (const std::string path : {"/0/tree/semantic/99999/0", "/0/tree/text/0/0", "/1/tree/semantic/0/0", "/0/tree",
                                 "/0/tree/semantic/x/0", "/0/", "/0", "//", "/0/recommend/keep/user/u3", "/%zz"})
    EXPECT_FALSE(ask(path, 404).at("error").get<std::string>().empty()) << path;
}

TEST_F(ClusterUi, TheExplorerGivesWhatRecommendGivesAndSaysWhereTheWantedItemIs) {
  serve({undisturbed().parent_path().parent_path().string()});
  EXPECT_EQ(ask("/0/model").at("users"), 300);
  const Outcome alone = run({"bash", "-c", program("dyad") + " recommend " + undisturbed().string() +
                                               " --json --top 20 --user u3 2>/dev/null"});
  const auto ids = [](const json& items) {
    std::vector<std::string> out;
    for (const auto& item : items) out.push_back(item.at("id"));
    return out;
  };
  const json wide = json::parse(alone.output), next = ask("/0/recommend/keep/next/u3");
  EXPECT_EQ(ids(next.at("items")), ids(wide.at("items")));
  EXPECT_EQ(next.at("items")[0].at("codes"), wide.at("items")[0].at("codes"));
  EXPECT_FALSE(next.contains("wanted"));
  const json test = ask("/0/recommend/keep/test/u3");
  auto past = ids(next.at("past"));
  EXPECT_EQ(test.at("wanted").at("id"), past.front());
  past.erase(past.begin());
  EXPECT_EQ(ids(test.at("past")), past);
  const auto listed = ids(test.at("items"));
  const auto place = test.at("wanted").at("place").get<std::size_t>();
  const auto found = std::ranges::find(listed, test.at("wanted").at("id").get<std::string>()) - listed.begin();
  EXPECT_TRUE(place > 20 || place == 0 ? found == 20 : found + 1 == static_cast<long>(place)) << place;
  for (const json& item : ask("/0/recommend/drop/next/u3").at("items")) EXPECT_FALSE(item.at("seen").get<bool>());
  EXPECT_EQ(ids(ask("/0/recommend/keep/items/i3/i5").at("past")), (std::vector<std::string>{"i5", "i3"}));
  EXPECT_EQ(ask("/0/users/u29").at(0), "u29");
  EXPECT_EQ(ids(ask("/0/items/i11")).front(), "i11");
  EXPECT_EQ(ask("/0/users").size(), 20u);
  EXPECT_NE(ask("/0/recommend/keep/next/nobody%20%22x%22", 404).at("error").get<std::string>().find("nobody \"x\""),
            std::string::npos);
  EXPECT_FALSE(ask("/0/recommend/keep/items/", 400).at("error").get<std::string>().empty());
}

}  // namespace
}  // namespace dyad::tests
