// Peers that do not behave, and addresses as people write them.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <gtest/gtest.h>
#include "common/base/clock.h"
#include "common/base/process.h"
#include "common/net/endpoint.h"
#include "common/net/local_socket.h"
#include "common/net/request_client.h"
#include "common/net/socket.h"

namespace dyad::net {
namespace {

Message message_of(std::size_t parts, std::size_t bytes) {
  Message m;
  for (std::size_t i = 0; i < parts; ++i) m.emplace_back(bytes);
  return m;
}

std::uint16_t port_of(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoul(endpoint.substr(endpoint.rfind(':') + 1)));
}

int idle_connection(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

struct Keyed {                                   // a context whose listeners ask for this key
  Context context;
  KeyPair pair = make_key_pair().value();
  Security security{pair, pair.public_key};
  Keyed() { context.start_authentication({pair.public_key}).value(); }
};

TEST(Peers, AMessageOfTooManyPartsOrBytesIsDroppedAndTheNextOneArrives) {
  Context context;
  auto listener = Listener::bind(context, {.message_bytes_max = 1000, .parts_max = 3}).value();
  auto connection = Connection::open(context, {.endpoint = listener.endpoint()}).value();
  testing::internal::CaptureStdout();
  for (const auto& [parts, bytes] : {std::pair{4u, 1u}, {10000u, 1u}, {2u, 600u}, {1u, 1001u}, {3u, 300u}})
    ASSERT_TRUE(connection.send(message_of(parts, bytes)));
  std::optional<Incoming> got;
  for (int i = 0; i < 20 && !got; ++i) got = listener.recv(500).value();
  const std::string said = testing::internal::GetCapturedStdout();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->message.size(), 3u);
  EXPECT_NE(said.find("dropped a message of 10000 parts, 100"), std::string::npos) << said;
  EXPECT_NE(said.find("from 127.0.0.1: at most 3 parts and 1000 bytes"), std::string::npos) << said;
}

TEST(Peers, APeerThatDoesNotReadOverloadsItsSenderAndNotItsMemory) {
  Context context;
  auto connection =
      Connection::open(context, {.endpoint = "tcp://127.0.0.1:9", .messages_max = 4, .linger_ms = 0}).value();
  Status sent = ok();
  for (int i = 0; i < 100 && sent; ++i) sent = connection.send(message_of(1, 10));
  ASSERT_FALSE(sent);                            // nobody is there
  EXPECT_EQ(sent.error().code, Code::kOverloaded);

  auto listener = Listener::bind(context, {.messages_max = 4, .linger_ms = 0}).value();
  auto deaf = Connection::open(context, {.endpoint = listener.endpoint(), .messages_max = 4, .linger_ms = 0}).value();
  ASSERT_TRUE(deaf.send(message_of(1, 1)));
  const auto hello = listener.recv(5000).value();
  ASSERT_TRUE(hello);
  sent = ok();
  for (int i = 0; i < 1000 && sent; ++i) sent = listener.send(hello->peer, message_of(1, 1 << 20));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kOverloaded);
  EXPECT_TRUE(deaf.recv(5000).value());          // and once it reads there is room again
}

TEST(Peers, ASilentConnectionIsClosedAndLeavesALineWithItsAddress) {
  Keyed job;
  testing::internal::CaptureStdout();
  auto listener = Listener::bind(job.context, {.handshake_ms = 300, .security = job.security}).value();
  const int idle = idle_connection(port_of(listener.endpoint()));
  const Millis start = steady_now_ms();
  char greeting[256];
  while (::read(idle, greeting, sizeof greeting) > 0) {}
  EXPECT_LT(steady_now_ms() - start, 5000u);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(idle, reinterpret_cast<sockaddr*>(&own), &size);
  ::close(idle);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("refused 127.0.0.1:" + std::to_string(ntohs(own.sin_port)) + ": it did not show the job's key"),
            std::string::npos) << said;
}

TEST(Peers, WhoIsRefusedIsToldWhyAndLeavesOneLine) {
  Keyed job, stranger;
  testing::internal::CaptureStdout();
  auto listener = Listener::bind(job.context, {.security = job.security}).value();
  const auto ask = [&](const Security& security) {
    RequestClient client(stranger.context, {.endpoint = listener.endpoint(), .linger_ms = 0, .security = security});
    return client.ask(message_of(1, 1), [](const Message&) { return true; }, {1000, 300});
  };
  for (const Security& security : {stranger.security, Security{}}) {
    const auto answer = ask(security);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kDisconnected);
    EXPECT_NE(answer.error().message.find("security.key_file"), std::string::npos) << answer.error().message;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find(": its key is not the job's"), std::string::npos) << said;
  const bool mismatch = said.find(": it came without the job's key") != std::string::npos;
  const bool closed_first = said.find(": it did not show the job's key") != std::string::npos;   // the peer, itself
  EXPECT_TRUE(mismatch || closed_first) << said;
  EXPECT_NE(said.find("refused 127.0.0.1:"), std::string::npos) << said;
  EXPECT_FALSE(listener.recv(0).value());
}

TEST(Peers, TheLateEndOfAListenerLeavesItsSuccessorsLocalSocketAlone) {
  namespace fs = std::filesystem;
  const auto socket = fs::path(testing::TempDir()) / ("late_" + std::to_string(getpid())) / "sockets" / "ps-0";
  auto old = std::make_unique<Keyed>();
  auto first = std::make_unique<Listener>(
      Listener::bind(old->context, {.security = old->security, .local = socket}).value());
  Keyed own;
  auto second = Listener::bind(own.context, {.security = own.security, .local = socket}).value();
  first.reset();
  old.reset();                                                       // ZeroMQ has closed everything now
  ASSERT_TRUE(is_local_listener(socket));
  auto connection = Connection::open(own.context, {.endpoint = second.endpoint(), .linger_ms = 0,
                                                   .security = own.security, .local = socket}).value();
  EXPECT_TRUE(connection.send(message_of(2, 9)));
  EXPECT_TRUE(second.recv(1000).value());
  fs::remove_all(socket.parent_path().parent_path());
}

TEST(Peers, OfOurOwnUserOnThisMachineComeByALocalSocketInAFolderOfOursAlone) {
  namespace fs = std::filesystem;
  const auto job = fs::path(testing::TempDir()) / ("local_" + std::to_string(getpid()));
  const auto socket = job / "sockets" / "ps-0";
  EXPECT_FALSE(is_local_listener(socket));
  {
    Keyed own, stranger;
    auto listener = Listener::bind(own.context, {.security = own.security, .local = socket}).value();
    EXPECT_EQ(fs::status(socket.parent_path()).permissions(), fs::perms::owner_all);
    EXPECT_TRUE(is_local_listener(socket));
    const auto reaches = [&](const Security& security, const fs::path& local) {
      auto connection = Connection::open(own.context, {.endpoint = listener.endpoint(), .linger_ms = 0,
                                                       .security = security, .local = local}).value();
      EXPECT_TRUE(connection.send(message_of(2, 9)));
      return listener.recv(1000).value().has_value();
    };
    EXPECT_TRUE(reaches(own.security, socket));
    EXPECT_TRUE(reaches(own.security, ""));                          // by the port, with the key
    EXPECT_TRUE(reaches(own.security, job / "sockets" / "ps-1"));    // nobody is there: by the port
    EXPECT_FALSE(reaches(stranger.security, ""));
    fs::permissions(socket.parent_path(), fs::perms::owner_all | fs::perms::others_exec);
    EXPECT_FALSE(is_local_listener(socket)) << "somebody else may listen there";
    EXPECT_FALSE(reaches(stranger.security, socket));                // so it is not taken
    fs::permissions(socket.parent_path(), fs::perms::owner_all);
  }
  std::ofstream(socket) << "left behind";                            // taken over by the next listener
  EXPECT_FALSE(is_local_listener(socket));
  Keyed own;
  auto again = Listener::bind(own.context, {.security = own.security, .local = socket}).value();
  EXPECT_TRUE(is_local_listener(socket));
  const auto far = job / std::string(120, 'x') / "ps-0";             // too long for a socket: the port is enough
  EXPECT_TRUE(Listener::bind(own.context, {.security = own.security, .local = far}));
  EXPECT_FALSE(is_local_listener(far));
  fs::remove_all(job);
}

bool has_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_addr = in6addr_loopback;
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  ::close(fd);
  return bound;
}

TEST(Peers, AddressesAsPeopleWriteThemWork) {
  const std::string host = host_name();
  std::vector<std::string> all{"tcp://localhost:*", "tcp://lo:*", "tcp://127.0.0.1:0", "tcp://*:*", "tcp://0.0.0.0:*"};
  if (has_ipv6()) all.insert(all.end(), {"tcp://[::1]:*", "tcp://[::]:*"});
  if (listen_endpoint("tcp://" + host + ":*")) all.push_back("tcp://" + host + ":*");
  for (const std::string& text : all) {
    Keyed job;
    const auto listener = Listener::bind(job.context, {.endpoint = text, .security = job.security});
    ASSERT_TRUE(listener) << listener.error().message;
    const std::string& told = listener.value().endpoint();
    EXPECT_EQ(told.find("0.0.0.0"), std::string::npos) << told;
    EXPECT_EQ(told.find("[::]"), std::string::npos) << told;
    RequestClient client(job.context, {.endpoint = told, .linger_ms = 0, .security = job.security});
    std::thread server([&] {
      auto got = const_cast<Listener&>(listener.value()).recv(5000).value();
      if (got) (void)const_cast<Listener&>(listener.value()).send(got->peer, message_of(1, 1));
    });
    const auto answer = client.ask(message_of(1, 1), [](const Message&) { return true; }, {5000, 5000});
    server.join();
    EXPECT_TRUE(answer) << text << " announced as " << told;
  }
}

TEST(Peers, AnAddressThatIsNoneIsRefusedBeforeItIsUsed) {
  Context context;
  for (const char* text :
       {"nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:7x",
        "tcp://:7000", "tcp://::1:7000", "tcp://[::1:7000", "tcp://[nine]:7000", "tcp://no such host:1",
        "tcp://nobody.invalid:*", "udp://127.0.0.1:7000", "tcp://8.8.8.8:*"}) {
    const auto listener = Listener::bind(context, {.endpoint = text, .allow_unauthenticated = true});
    ASSERT_FALSE(listener) << text;
    EXPECT_EQ(listener.error().code, Code::kInvalid) << text;
    EXPECT_NE(listener.error().message.find(text), std::string::npos) << listener.error().message;
  }
  for (const char* text : {"nonsense", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "tcp://[x]:1", "tcp://a b:1"})
    EXPECT_FALSE(Connection::open(context, {.endpoint = text})) << text;
  for (const char* host : {"localhost", "127.0.0.1", "127.5.5.5", "::1", "[::1]"}) EXPECT_TRUE(is_loopback_host(host));
  for (const char* host : {"0.0.0.0", "*", "::", "[::]", "10.0.0.1"}) EXPECT_FALSE(is_loopback_host(host)) << host;
}

}  // namespace
}  // namespace dyad::net
