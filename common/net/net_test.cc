#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <gtest/gtest.h>
#include "common/net/poll.h"
#include "common/net/request_client.h"
#include "common/net/socket.h"

namespace dyad::net {
namespace {

Frame text(const std::string& s) { return Frame::copy(std::as_bytes(std::span(s.data(), s.size()))); }
std::string str(const Frame& f) { return {reinterpret_cast<const char*>(f.bytes().data()), f.size()}; }
Message one(const std::string& s) {
  Message m;
  m.push_back(text(s));
  return m;
}

TEST(Net, FramesArriveWholeAlignedAndInOrder) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  auto connection = Connection::open(context, {.endpoint = listener.endpoint()}).value();
  Message sent;
  for (std::size_t n : {1u, 3u, 100u, 5000u, 3000000u}) {
    Frame frame(n);
    for (std::size_t i = 0; i < n; ++i) frame.writable()[i] = static_cast<std::byte>(i * 7 + n);
    sent.push_back(std::move(frame));
  }
  ASSERT_TRUE(connection.send(std::move(sent)));
  auto got = listener.recv(5000).value();
  ASSERT_TRUE(got);
  ASSERT_EQ(got->message.size(), 5u);
  for (const Frame& frame : got->message) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.bytes().data()) % 8, 0u) << frame.size();
    for (std::size_t i = 0; i < frame.size(); i += 97)
      ASSERT_EQ(frame.bytes()[i], static_cast<std::byte>(i * 7 + frame.size()));
  }
  ASSERT_TRUE(listener.send(got->peer, one("yes")));
  EXPECT_EQ(str(connection.recv(5000).value()->at(0)), "yes");
}

TEST(Net, ABorrowedFrameKeepsItsOwnerUntilSent) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  auto connection = Connection::open(context, {.endpoint = listener.endpoint()}).value();
  auto owner = std::make_shared<std::vector<std::byte>>(1 << 20, std::byte{42});
  std::weak_ptr<std::vector<std::byte>> watch = owner;
  Message m;
  m.push_back(Frame::keep(*owner, owner));
  owner.reset();
  EXPECT_FALSE(watch.expired());
  ASSERT_TRUE(connection.send(std::move(m)));
  EXPECT_EQ(listener.recv(5000).value()->message.at(0).bytes()[77], std::byte{42});
  for (int i = 0; i < 500 && !watch.expired(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(watch.expired());
}

TEST(Net, RecvGivesUpInTimeAndAPeerThatWentIsReported) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  EXPECT_FALSE(listener.recv(0).value());
  EXPECT_FALSE(listener.recv(20).value());
  const auto sent = listener.send("nobody", one("hello"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kDisconnected);
}

TEST(Net, APublicAddressNeedsKeysOrAnExplicitWord) {
  Context context;
  const auto refused = Listener::bind(context, {.endpoint = "tcp://0.0.0.0:*"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_NE(refused.error().message.find("tcp://0.0.0.0:*"), std::string::npos);
  EXPECT_TRUE(Listener::bind(context, {.endpoint = "tcp://0.0.0.0:*", .allow_unauthenticated = true}));
  EXPECT_FALSE(Listener::bind(context, {.endpoint = "nonsense", .allow_unauthenticated = true}));
}

TEST(Net, ATakenPortIsNamedWithItsKey) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  const auto second = Listener::bind(context, {.endpoint = listener.endpoint(), .key = "servers.bind"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kInvalid);      // starting again would not help
  EXPECT_NE(second.error().message.find("servers.bind = \"" + listener.endpoint() + "\": another process"),
            std::string::npos) << second.error().message;
}

TEST(Net, CurveLetsListedKeysInAndNobodyElse) {
  Context context;
  const KeyPair server = make_key_pair().value(), friendly = make_key_pair().value(),
                stranger = make_key_pair().value();
  ASSERT_TRUE(context.start_authentication({friendly.public_key}));
  auto listener = Listener::bind(context, {.security = {.own = server}}).value();
  const auto connect = [&](const KeyPair& own) {
    return Connection::open(context, {.endpoint = listener.endpoint(), .linger_ms = 0,
                                      .security = {.own = own, .server_public_key = server.public_key}}).value();
  };
  auto bad = connect(stranger);
  auto plain = Connection::open(context, {.endpoint = listener.endpoint(), .linger_ms = 0}).value();
  ASSERT_TRUE(bad.send(one("let me in")));
  ASSERT_TRUE(plain.send(one("let me in")));
  EXPECT_FALSE(listener.recv(300).value());
  auto good = connect(friendly);
  ASSERT_TRUE(good.send(one("hello")));
  auto got = listener.recv(5000).value();
  ASSERT_TRUE(got);
  EXPECT_EQ(str(got->message.at(0)), "hello");
}

TEST(Net, AnAddressOfAllInterfacesIsAnnouncedByHostName) {
  Context context;
  auto listener = Listener::bind(context, {.endpoint = "tcp://0.0.0.0:*", .allow_unauthenticated = true}).value();
  EXPECT_EQ(listener.endpoint().find("0.0.0.0"), std::string::npos);
  auto connection = Connection::open(context, {.endpoint = listener.endpoint()}).value();
  ASSERT_TRUE(connection.send(one("hello")));
  EXPECT_TRUE(listener.recv(5000).value());
}

TEST(Net, AWakerEndsAWait) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  Waker waker;
  Poller poller;
  const auto at_socket = poller.add(listener), at_waker = poller.add(waker);
  EXPECT_FALSE(poller.wait(0).value());
  std::thread other([&] { waker.wake(); waker.wake(); });
  EXPECT_TRUE(poller.wait(5000).value());
  other.join();
  EXPECT_TRUE(poller.ready(at_waker));
  EXPECT_FALSE(poller.ready(at_socket));
  waker.clear();
  EXPECT_FALSE(poller.wait(0).value());
}

TEST(Net, ALostRequestIsAskedAgainAndLateAnswersAreDropped) {
  Context context;
  auto listener = Listener::bind(context, {}).value();
  std::atomic<int> seen{0};
  std::set<Peer> peers;
  std::thread server([&] {   // drops the first request; answers the second with something old, then with the answer
    for (int i = 0; i < 2; ++i) {
      auto got = listener.recv(10000).value();
      if (got) peers.insert(got->peer);
      if (!got || seen++ == 0) continue;
      (void)listener.send(got->peer, one("late"));
      (void)listener.send(got->peer, one("answer"));
    }
  });
  RequestClient client(context, {.endpoint = listener.endpoint()});
  const auto answer = client.ask(one("q"), [](const Message& m) { return str(m.at(0)) == "answer"; }, {10000, 100});
  server.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(peers.size(), 1u) << "a late answer is no reason to connect anew";
}

TEST(Net, ASilentServerIsNamed) {
  Context context;
  RequestClient client(context, {.endpoint = "tcp://127.0.0.1:9"});
  const auto answer = client.ask(one("q"), [](const Message&) { return true; }, {150, 50});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDisconnected);
  EXPECT_NE(answer.error().message.find("tcp://127.0.0.1:9"), std::string::npos);
}

}  // namespace
}  // namespace dyad::net
