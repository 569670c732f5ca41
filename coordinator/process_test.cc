// The coordinator as a real process: killed, restarted, resumed, asked over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cstring>
#include <nlohmann/json.hpp>
#include "common/base/digest.h"
#include "common/ckpt/checkpoint_list.h"
#include "common/ckpt/manifest.h"
#include "common/io/atomic_file.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "common/wire/codec.h"
#include "coordinator/testing/fake_job.h"
#include "coordinator/journal/results.h"
#include "coordinator/journal/start.h"
#include "coordinator/testing/test_plan.h"

namespace dyad::coordinator {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CoordinatorProcessTest : public testing::Test {
 protected:
  void SetUp() override { make_small_dataset(folder_ / "data"); }
  config::Config configure(const std::string& extra) {
    file_ = write_config(folder_.path(), extra);
    return config::load({.file = file_.string(), .environment = false}).value();
  }
  std::vector<ckpt::Listed> checkpoints() const {
    return ckpt::list_checkpoints(folder_ / "run/checkpoints", ckpt::Depth::kDigests).value();
  }
  // The audits in the journal, in order.
  std::vector<EpochAudited> audits() const {
    std::vector<std::string> records;
    auto journal = Journal::open(folder_ / "run" / kJournalName, records);
    CHECK(journal.has_value());
    std::vector<EpochAudited> found;
    for (const auto& record : records)
      if (auto entry = decode_entry(record).value(); auto* audited = std::get_if<EpochAudited>(&entry))
        found.push_back(*audited);
    return found;
  }
  void expect_audits(std::size_t epochs) const {
    const auto found = audits();
    ASSERT_EQ(found.size(), epochs);
    for (std::size_t e = 0; e < epochs; ++e) {
      EXPECT_EQ(found[e].epoch, e);
      EXPECT_TRUE(found[e].passed) << found[e].text;
      EXPECT_EQ(found[e].samples, 30u * 9);        // targets 1 to 9 of each user's 12 events
    }
  }
  void write_other_vectors() const {
    const std::vector<float> other(9 * 3, 0.25f);
    CHECK(io::write_safetensors(folder_ / "data/vectors/semantic.safetensors",
                                {{"embedding", io::make_tensor<float>({9, 3}, other)}}).has_value());
  }
  void wait_for(const std::filesystem::path& file) const {
    for (int i = 0; i < 2000 && !std::filesystem::exists(file); ++i) nap_ms(5);
    ASSERT_TRUE(std::filesystem::exists(file));
  }
  wire::EvalResult result_of(const ckpt::Listed& checkpoint, double ndcg) const {
    const auto config = config::load({.file = file_.string(), .environment = false}).value();
    return {checkpoint.dir.string(), "validation", {{kBestMetric, ndcg}}, checkpoint.manifest.digest,
            config::eval_settings(config, "validation").words()};
  }
  io::TempFolder folder_;
  std::filesystem::path file_;
};

TEST_F(CoordinatorProcessTest, ServesAJobToItsEndAndRemovesItsAddress) {
  const auto config = configure("epochs = 3\n[coordinator]\nlease_batches = 5\n[checkpoint]\nkeep = 2\n"
                                "[eval]\nduring_training = false\n");
  CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
  FakeJob(config, {}).join();
  EXPECT_EQ(coordinator.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(control::address_file(folder_ / "run")));
  expect_audits(3);
  const auto found = checkpoints();
  ASSERT_EQ(found.size(), 2u);
  for (const auto& c : found) EXPECT_EQ(c.state, ckpt::State::kValid) << c.problem;
  EXPECT_EQ(found[1].manifest.epoch, 3u);
  EXPECT_EQ(found[1].manifest.files.size(), 6u);   // four groups, dense, config
}

TEST_F(CoordinatorProcessTest, KilledManyTimesItGoesOnFromItsJournalAndNobodyElseNotices) {
  const auto config = configure("epochs = 4\n[coordinator]\nlease_batches = 2\n");
  auto coordinator = std::make_unique<CoordinatorProcess>(DYAD_COORDINATOR, file_);
  FakeJob job(config, {.step_ms = 12});
  for (std::uint64_t kill_at : {9, 25, 44}) {
    while (job.steps() < kill_at) nap_ms(2);
    EXPECT_EQ(coordinator->kill(SIGKILL), -SIGKILL);
    coordinator = std::make_unique<CoordinatorProcess>(DYAD_COORDINATOR, file_, "--recover");
  }
  job.join();
  EXPECT_EQ(coordinator->wait(), 0);
  expect_audits(4);
}

// A job folder removed and the same command given again while a server of the first life still runs: incarnations begin
// at 1 again.
TEST_F(CoordinatorProcessTest, AProcessOfAnotherLifeOfTheJobIsToldToLeaveAndChangesNothing) {
  const auto config = configure("");
  const auto join = [&](const std::string& address) {
    auto client = control::ControlClient::connect({.role = wire::Role::kServer, .job_dir = config.job.dir}).value();
    EXPECT_EQ(client->register_({address, config::result_digest(config), 1, "node"}).value().incarnation,
              Incarnation{1});
    return client;
  };
  auto first = std::make_unique<CoordinatorProcess>(DYAD_COORDINATOR, file_);
  auto leftover = join("tcp://127.0.0.1:4000");
  first->kill(SIGKILL);
  std::filesystem::remove_all(folder_ / "run");
  CoordinatorProcess second(DYAD_COORDINATOR, file_);
  wait_for(control::address_file(folder_ / "run"));
  auto own = join("tcp://127.0.0.1:5000");
  EXPECT_EQ(leftover->heartbeat({}).error().code, Code::kStale);
  EXPECT_EQ(leftover->cut_part({Step{3}, {{"rows/g0000.rows", 1, 1}}, {}}, 0).error().code, Code::kStale);
  const auto goodbye = leftover->goodbye("done", 1000);
  EXPECT_EQ(goodbye.error().code, Code::kStale);
  EXPECT_THAT(goodbye.error().message, HasSubstr("belongs to run"));
  EXPECT_EQ(own->heartbeat({}).value(), wire::Command::kNone) << "nobody took its place";
  second.kill(SIGKILL);
  CoordinatorProcess third(DYAD_COORDINATOR, file_, "--recover");
  EXPECT_EQ(own->heartbeat({}).value(), wire::Command::kNone) << "recovering goes on with the run";
}

// What a build of another version hears: the answer comes at once and says why, on both sides.
TEST_F(CoordinatorProcessTest, ABuildOfAnotherVersionIsToldAtOnce) {
  configure("");
  CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
  wait_for(control::address_file(folder_ / "run"));
  net::Context context;
  auto connection =
      net::Connection::open(context, {.endpoint = control::read_address(folder_ / "run").value().control}).value();
  auto bytes = wire::encode({{wire::Role::kServer, 0, {}}, 77, {}, wire::Heartbeat{}});
  const std::uint16_t tomorrow = wire::kProtocolVersion + 1;
  std::memcpy(bytes.data() + 8 + 8 + 4, &tomorrow, 2);   // codec_test.cc draws it
  net::Message message;
  message.push_back(net::Frame::copy(bytes));
  ASSERT_TRUE(connection.send(std::move(message)).has_value());
  auto answer = connection.recv(5000).value();
  ASSERT_TRUE(answer.has_value());
  auto told = wire::decode(answer->front().bytes()).value();
  EXPECT_EQ(told.request, 77u);
  EXPECT_THAT(wire::expect<wire::Ack>(std::move(told)).error().message,
              HasSubstr(fmt::format("protocol version {}, newer than this build's", tomorrow)));
}

TEST_F(CoordinatorProcessTest, RecoveringOnOtherDataIsRefused) {
  configure("");
  CoordinatorProcess first(DYAD_COORDINATOR, file_);
  wait_for(control::address_file(folder_ / "run"));
  first.kill(SIGKILL);
  write_other_vectors();
  CoordinatorProcess second(DYAD_COORDINATOR, file_, "--recover");
  EXPECT_EQ(second.wait(), static_cast<int>(Code::kInvalid));
}

TEST_F(CoordinatorProcessTest, StoppedAndResumedTheEpochsAreAuditedAsIfNeverStopped) {
  const auto config = configure("epochs = 3\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {.stop_after_steps = 25}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  EXPECT_EQ(checkpoints().back().step, Step{25});
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);     // neither --resume nor an empty folder
    EXPECT_EQ(coordinator.wait(), static_cast<int>(Code::kInvalid));
  }
  for (const std::uint64_t stop : {40, 0}) {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_, "--resume");
    FakeJob(config, {.stop_after_steps = stop}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  expect_audits(3);
}

TEST_F(CoordinatorProcessTest, ResumingOnOtherVectorsIsRefused) {
  const auto config = configure("epochs = 2\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {.stop_after_steps = 25}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  write_other_vectors();
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_, "--resume");
    EXPECT_EQ(coordinator.wait(), static_cast<int>(Code::kInvalid));
  }
}

TEST_F(CoordinatorProcessTest, ADamagedCheckpointIsPassedOverAndTheWorkBeyondTheOneBeforeIsDoneAgain) {
  const auto config = configure("epochs = 2\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {.stop_after_steps = 25}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  std::ofstream(folder_ / "run/checkpoints/step-0000000025/rows/g0001.rows", std::ios::app) << "damage";
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_, "--resume");
    FakeJob(config, {}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  expect_audits(2);
}

TEST_F(CoordinatorProcessTest, WhereNoCheckpointCanBeResumedNothingIsStartedOverThem) {
  const auto config = configure("epochs = 2\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  const auto facts = ckpt::read_manifest(folder_ / "run/checkpoints/step-0000000017").value();
  const auto begin_again = [&] {
    TestPlan plan(17, 2);
    TestStore store;
    Coordinator core({.servers = 2, .workers = 2}, plan, store);
    return begin(folder_ / "run", StartMode::kResume, {facts, config}, core, 0);
  };
  const auto manifest = [&](int step) {
    return (folder_ / fmt::format("run/checkpoints/step-{:010}/manifest.json", step)).string();
  };
  ASSERT_TRUE(begin_again());
  const std::string newest = io::read_file(manifest(34)).value();
  const auto write = [](const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; };
  std::string tomorrow = newest;
  tomorrow.replace(tomorrow.find("\"version\": 2"), 12, "\"version\": 3");
  write(manifest(34), tomorrow);
  const auto newer = begin_again();
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::kInvalid);
  EXPECT_THAT(newer.error().message, AllOf(HasSubstr(manifest(34)), HasSubstr("written by a newer Dyad")));
  write(manifest(34), newest.substr(0, 100));
  ASSERT_TRUE(begin_again()) << "the one before is whole";
  write(manifest(17), "");
  const auto none = begin_again();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kInvalid);
  EXPECT_THAT(none.error().message,
              AllOf(HasSubstr(manifest(17)), HasSubstr(manifest(34)), HasSubstr("not a manifest")));
  for (const int step : {17, 34}) std::filesystem::remove(manifest(step));
  ASSERT_TRUE(begin_again()) << "folders without a manifest are no checkpoints";
}

// What the server answers to raw bytes, until it closes or 2 s are over.
std::string raw_http(const std::string& address, const std::string& bytes) {
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  timeval patience{2, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in to{
      .sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  std::string answer(65536, '\0');
  std::size_t size = 0;
  for (ssize_t n; (n = ::recv(fd, answer.data() + size, answer.size() - size, 0)) > 0;)
    size += static_cast<std::size_t>(n);
  ::close(fd);
  return answer.substr(0, size);
}

TEST_F(CoordinatorProcessTest, TheStatusPageAnswersAndBoundsWhatItReads) {
  configure("");
  CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
  wait_for(control::address_file(folder_ / "run"));
  const std::string http = control::read_address(folder_ / "run").value().http;
  const auto get = [&](const std::string& path) {
    return raw_http(http, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(get("/healthz"), HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(get("/readyz"), HasSubstr("waiting for server 0, server 1, worker 0, worker 1"));
  EXPECT_THAT(get("/"), HasSubstr("<!doctype html>"));
  nap_ms(800);                                                   // published twice a second
  EXPECT_THAT(get("/status.json?x=1"), HasSubstr("\"job\":\"fake\""));
  EXPECT_THAT(get("/metrics"), HasSubstr("dyad_checkpoints 0"));
  EXPECT_THAT(get("/etc/passwd"), HasSubstr("404 Not Found"));
  EXPECT_THAT(raw_http(http, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), HasSubstr("405"));
  EXPECT_THAT(raw_http(http, "GET / HTTP/1.1\r\nX: " + std::string(20000, 'x')), HasSubstr("431"));
  EXPECT_EQ(coordinator.kill(SIGTERM), 0);
}

TEST_F(CoordinatorProcessTest, ASecondCoordinatorOfTheSameJobIsRefused) {
  configure("");
  CoordinatorProcess first(DYAD_COORDINATOR, file_);
  wait_for(control::address_file(folder_ / "run"));
  CoordinatorProcess second(DYAD_COORDINATOR, file_, "--resume");
  EXPECT_EQ(second.wait(), static_cast<int>(Code::kOverloaded));
  EXPECT_EQ(first.kill(SIGTERM), 0);
}

TEST_F(CoordinatorProcessTest, AnEvaluationAfterTheEndIsWrittenDownAndTheBestLinkMoves) {
  const auto config = configure("epochs = 2\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  const auto found = checkpoints();
  ASSERT_EQ(found.size(), 2u);
  for (std::size_t i : {1, 0})
    ASSERT_TRUE(
        record_evaluation(folder_ / "run", result_of(found[i], 0.5)).has_value());
  EXPECT_EQ(std::filesystem::read_symlink(folder_ / "run/checkpoints/best"),
            found[0].dir.filename());  // a tie: the earlier
}

TEST_F(CoordinatorProcessTest, WhatWaitedForItsEvaluationGoesWhenItHasIt) {
  const auto config = configure("epochs = 3\n[checkpoint]\nkeep = 1\n");
  {
    CoordinatorProcess coordinator(DYAD_COORDINATOR, file_);
    FakeJob(config, {}).join();
    EXPECT_EQ(coordinator.wait(), 0);
  }
  ASSERT_EQ(checkpoints().size(), 3u) << "none was evaluated";
  EXPECT_EQ(unevaluated(folder_ / "run").value().there.size(), 3u);
  const CutsOptions rule{.keep = 1, .unevaluated_max = 4};
  const auto found = checkpoints();
  for (const auto& [i, ndcg] : std::vector<std::pair<std::size_t, double>>{{2, 0.3}, {1, 0.5}, {0, 0.4}})
    ASSERT_TRUE(record_evaluation(folder_ / "run", result_of(found[i], ndcg), rule));
  const auto left = checkpoints();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].dir, found[1].dir) << "the best";
  EXPECT_EQ(left[1].dir, found[2].dir) << "the newest";
  EXPECT_TRUE(unevaluated(folder_ / "run").value().there.empty());
  EXPECT_TRUE(unevaluated(folder_ / "run").value().gone.empty());
}

}  // namespace
}  // namespace dyad::coordinator
