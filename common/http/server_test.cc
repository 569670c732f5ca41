#include "common/http/server.h"

#include <chrono>
#include <cstring>
#include <vector>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <gtest/gtest.h>

namespace dyad::http {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Server> serve(const std::string& endpoint = "127.0.0.1:0") {
  return std::move(Server::start({endpoint, "servers.http"}, [](const std::string& path) -> Answer {
                     if (path == "/throws") throw std::bad_alloc();
                     return {200, "text/plain", "page " + path};
                   })).value();
}

class Client {
 public:
  Client() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool connect(const Server& server) const {
    const std::string address = server.address();
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  }
  void say(const std::string& text) const { (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until the peer closes or `wait` is over.
  std::string hear(std::chrono::milliseconds wait) const {
    const timeval limit{wait.count() / 1000, (wait.count() % 1000) * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string all;
    char some[4096];
    for (ssize_t n; (n = ::recv(fd_, some, sizeof some, 0)) > 0;) all.append(some, static_cast<std::size_t>(n));
    return all;
  }
  std::string get(const std::string& path) const {
    say("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return hear(5000ms);
  }

 private:
  int fd_;
};

std::string get(const Server& server, const std::string& path) {
  Client client;
  return client.connect(server) ? client.get(path) : "";
}

double cpu_s() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

TEST(HttpServer, AnswersByPathWithoutTheQuery) {
  const auto server = serve();
  EXPECT_NE(get(*server, "/a?b=c").find("page /a"), std::string::npos);
}

TEST(HttpServer, APageThatThrowsIsUnavailableAndTheNextOneIsThere) {
  const auto server = serve();
  EXPECT_NE(get(*server, "/throws").find("503"), std::string::npos);
  EXPECT_NE(get(*server, "/a").find("page /a"), std::string::npos);
}

TEST(HttpServer, ListensOnAnIpv6AddressInBrackets) {
  auto server = Server::start({"[::1]:0", "servers.http"}, [](const std::string&) { return Answer{}; });
  if (!server && server.error().message.starts_with("cannot serve"))
    GTEST_SKIP() << "no IPv6 here: " << server.error().message;
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_TRUE(server.value()->address().starts_with("http://[::1]:")) << server.value()->address();
}

TEST(HttpServer, ListensOnLocalhost) {
  const auto server = serve("localhost:0");
  EXPECT_TRUE(server->address().starts_with("http://127.0.0.1:")) << server->address();
  EXPECT_NE(get(*server, "/a").find("page /a"), std::string::npos);
}

TEST(HttpServer, AMalformedEndpointIsRefusedNamingItsKey) {
  for (const char* endpoint :
       {"", "8080", "node7:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "[::1]", "::1"}) {
    const auto server = Server::start({endpoint, "servers.http"}, [](const std::string&) { return Answer{}; });
    ASSERT_FALSE(server) << endpoint;
    EXPECT_EQ(server.error().code, Code::kInvalid);
    EXPECT_TRUE(server.error().message.starts_with("servers.http = ")) << server.error().message;
  }
}

TEST(HttpServer, AnAddressThatIsTakenOrOfAnotherMachineIsRefusedNamingItAndItsKey) {
  const auto first = serve();
  const std::string taken = first->address().substr(std::strlen("http://"));
  for (const std::string& endpoint : {taken, std::string("192.0.2.1:8080")}) {   // TEST-NET-1: nobody has it
    const auto second = Server::start({endpoint, "servers.http"}, [](const std::string&) { return Answer{}; });
    ASSERT_FALSE(second) << endpoint;
    EXPECT_EQ(second.error().code, Code::kInvalid) << second.error().message;
    for (const std::string& word : {endpoint, std::string("choose another servers.http")})
      EXPECT_NE(second.error().message.find(word), std::string::npos) << second.error().message;
  }
}

TEST(HttpServer, HalfSentRequestsKeepNobodyElseOut) {
  const auto server = serve();
  std::vector<std::unique_ptr<Client>> strangers;
  for (int i = 0; i < 200; ++i) {
    strangers.push_back(std::make_unique<Client>());
    ASSERT_TRUE(strangers.back()->connect(*server));
    strangers.back()->say("GET / HTTP/1.1\r\nHo");
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(get(*server, "/healthz").find("page /healthz"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(HttpServer, AHalfSentRequestIsCutOffInTime) {
  const auto server = serve();
  Client stranger;
  ASSERT_TRUE(stranger.connect(*server));
  stranger.say("GET / HTTP/1.1\r\nHo");
  const auto start = std::chrono::steady_clock::now();
  stranger.hear(9000ms);                          // ends when the server closes
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
}

TEST(HttpServer, WithoutDescriptorsItWaitsInsteadOfSpinningAndThenAnswers) {
  const auto server = serve();
  Client client;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_TRUE(client.connect(*server));           // by the kernel; the server cannot accept it
  const double cpu = cpu_s();
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(cpu_s() - cpu, 0.2);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(client.get("/late").find("page /late"), std::string::npos);
}

}  // namespace
}  // namespace dyad::http
