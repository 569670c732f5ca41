// Strangers on a job's ports, and insiders who lie: nothing moves.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <fstream>
#include <future>
#include <limits>
#include <sstream>
#include <thread>
#include <gtest/gtest.h>
#include "common/base/descriptors.h"
#include "common/control/address.h"
#include "common/net/job_key.h"
#include "common/net/request_client.h"
#include "common/wire/codec.h"
#include "tests/cluster/job.h"

namespace dyad::tests {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

// Where the servers say that they serve, once all `count` do.
std::vector<std::string> servers_of(const fs::path& job, std::size_t count) {
  std::vector<std::string> found;
  soon([&] {
    found.clear();
    for (std::size_t id = 0; id < count; ++id) {
      const std::string log = text_of(job / "logs" / ("ps-" + std::to_string(id) + ".log")), word = "serving at ";
      const std::size_t at = log.rfind(word);
      if (at == std::string::npos) return false;
      found.push_back(log.substr(at + word.size(), log.find(',', at) - at - word.size()));
    }
    return true;
  });
  EXPECT_EQ(found.size(), count);
  return found;
}

// Keeps `each` connections open to every port and never says a word; one that is closed is opened again.
class IdleCrowd {
 public:
  IdleCrowd(std::vector<std::uint16_t> ports, std::size_t each)
      : ports_(std::move(ports)), open_(ports_.size() * each, -1) {
    raise_descriptor_limit();
    thread_ = std::thread([this] { while (!stop_) stay(); });
  }
  ~IdleCrowd() {
    stop_ = true;
    thread_.join();
    for (const int fd : open_) ::close(fd);
  }
  std::size_t opened() const { return opened_; }

 private:
  void stay() {
    for (std::size_t i = 0; i < open_.size() && !stop_; ++i) {
      char greeting[256];
      ssize_t n = 1;
      while (open_[i] >= 0 && n > 0) n = ::read(open_[i], greeting, sizeof greeting);
      if (open_[i] >= 0 && n < 0 && errno == EAGAIN) continue;
      if (open_[i] >= 0 && n < 0 && errno == ENOTCONN) continue;
      if (open_[i] >= 0) ::close(open_[i]);
      open_[i] = connect(ports_[i % ports_.size()]);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  int connect(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    ++opened_;
    (void)::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
    return fd;
  }
  const std::vector<std::uint16_t> ports_;
  std::vector<int> open_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> opened_{0};
  std::thread thread_;
};

// Long enough for an attack: a dozen checkpoints.
const Sets& long_job() {
  static const Sets sets{"train.epochs=6", "checkpoint.every_steps=20"};
  return sets;
}
const fs::path& long_undisturbed() {
  static const fs::path checkpoint = trained("long_undisturbed", long_job());
  return checkpoint;
}

void expect_unmoved(const fs::path& job, ops::Child& train) {
  ASSERT_TRUE(train.wait_for(300'000)) << ops::tail(train.log(), 20);
  EXPECT_EQ(train.poll(), 0) << ops::tail(train.log(), 30);
  EXPECT_EQ(text_of(train.log()).find("starting the job again"), std::string::npos) << ops::tail(train.log(), 30);
  EXPECT_EQ(difference(long_undisturbed(), last_checkpoint(job)), "");
}

TEST(Attack, IdleConnectionsOnAllPortsOfAJobChangeNothing) {
  long_undisturbed();
  const auto job = scratch() / "crowd";
  auto argv = train_command(job, long_job());
  argv.insert(argv.begin(), {"bash", "-c", "ulimit -n 1024; exec \"$@\"", "bash"});
  auto train = start("train", argv, scratch() / "crowd.log");
  const auto servers = servers_of(job, 2);
  ASSERT_EQ(servers.size(), 2u) << ops::tail(train.log(), 20);
  const auto address = control::read_address(job).value();
  IdleCrowd crowd({port_of(address.control), port_of(address.http), port_of(servers[0]), port_of(servers[1])}, 1500);
  expect_unmoved(job, train);
  EXPECT_GT(crowd.opened(), 5000u);
  EXPECT_NE(text_of(job / "logs" / "coordinator.log").find("it did not show the job's key"), std::string::npos);
}

// What is asked with this key (none: plain), answered or not. `row`: of item 1, behind the header.
Result<wire::Envelope> ask(const std::string& endpoint, const net::Security& security, const wire::Sender& sender,
                           RoutingEpoch epoch, wire::Body body, const std::vector<float>& row = {},
                           net::AskOptions patience = {1500, 500}) {
  net::Context context;
  net::RequestClient client(context, {.endpoint = endpoint, .linger_ms = 0, .security = security});
  net::Message message;
  message.push_back(net::Frame::copy(wire::encode({sender, 77, epoch, std::move(body)})));
  const std::vector<std::uint64_t> keys{1};
  if (!row.empty()) message.push_back(net::Frame::copy(std::as_bytes(std::span(keys))));
  if (!row.empty()) message.push_back(net::Frame::copy(std::as_bytes(std::span(row))));
  const auto is_last_word = [](const net::Message& m) {  // Ack: the server asks the coordinator who we are
    const auto envelope = wire::decode(m.front().bytes());
    return !envelope || !std::holds_alternative<wire::Ack>(envelope.value().body);
  };
  DYAD_TRY(answer, client.ask(std::move(message), is_last_word, patience));
  return wire::decode(answer.front().bytes());
}

TEST(Attack, AJobHasAKeyByItselfAndAStrangerWithoutItGetsNothing) {
  long_undisturbed();
  const auto job = scratch() / "stranger";
  auto train = start("train", train_command(job, long_job()), scratch() / "stranger.log");
  const auto servers = servers_of(job, 2);
  ASSERT_EQ(servers.size(), 2u) << ops::tail(train.log(), 20);
  EXPECT_EQ(fs::status(job / "job.key").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto pair = net::make_key_pair().value();
  const net::Security other{pair, pair.public_key};
  std::vector<std::future<Result<wire::Envelope>>> asked;          // at once: the job does not last long
  for (const net::Security& security : {net::Security{}, other})
    for (const std::string& port : {control::read_address(job).value().control, servers[0]})
      asked.push_back(std::async(std::launch::async, [security, port] {
        return ask(port, security, {wire::Role::kWorker, 0, Incarnation{1}}, RoutingEpoch{2},
                   wire::Push{Step{3}, 1e-3f, false, wire::ValueType::kFp32, {}});
      }));
  for (auto& one : asked) {
    const auto answer = one.get();
    ASSERT_FALSE(answer) << "a stranger was answered";
    EXPECT_NE(answer.error().message.find("security.key_file"), std::string::npos) << answer.error().message;
  }
  expect_unmoved(job, train);
  const std::string said = text_of(job / "logs" / "ps-0.log");
  EXPECT_NE(said.find("its key is not the job's"), std::string::npos) << said;
}

// Somebody who has the key, and pushes in rank 0's place under another incarnation, or what is no number.
TEST(Attack, ForgedPushesOfAnInsiderChangeNothing) {
  long_undisturbed();
  const auto job = scratch() / "insider";
  auto train = start("train", train_command(job, long_job()), scratch() / "insider.log");
  const auto servers = servers_of(job, 2);
  ASSERT_EQ(servers.size(), 2u) << ops::tail(train.log(), 20);
  const net::Security key = net::read_job_key(job / "job.key").value();
  const wire::Push bare{Step{30}, 1e-3f, false, wire::ValueType::kFp32, {}};
  const auto first = ask(servers[0], key, {wire::Role::kWorker, 0, Incarnation{2}}, RoutingEpoch{0}, bare);
  ASSERT_TRUE(first) << first.error().message;   // refused, and the refusal says which run and epoch are served
  const auto forge = [&](std::uint64_t incarnation, wire::Push push, const std::vector<float>& row) {
    const auto& [sender, number, epoch, body] = first.value();
    wire::Sender forged{wire::Role::kWorker, 0, Incarnation{incarnation}};
    forged.run = sender.run;
    const auto answer = ask(servers[0], key, forged, epoch, std::move(push), row, {5000, 1000});
    const auto* refused = answer ? std::get_if<wire::ErrorReply>(&answer.value().body) : nullptr;
    EXPECT_NE(refused, nullptr) << (answer ? wire::body_name(answer.value().body) : answer.error().message);
    return refused == nullptr ? fail(Code::kFailed, "none") : refused->error;
  };
  soon([&] { return fs::exists(job / "steps.jsonl"); });             // the ranks are there, and known
  for (const std::uint64_t incarnation : {std::uint64_t{2}, std::uint64_t{1'000'000'000'000}}) {
    const Error error = forge(incarnation, bare, {});
    EXPECT_EQ(error.code, Code::kStale);
    EXPECT_NE(error.message.find("takes no part"), std::string::npos) << error.message;
  }
  wire::Push nan = bare;
  nan.sections = {{TableId{0}, 1}};
  const Error error = forge(1, nan, std::vector<float>(16, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_NE(error.message.find("not finite for key 1 of table item"), std::string::npos) << error.message;
  expect_unmoved(job, train);
}

}  // namespace
}  // namespace dyad::tests
