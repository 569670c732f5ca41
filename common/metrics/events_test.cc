// Event files, read by a parser of the test's own: crc32c bit by bit, protobuf field by field.
#include <cmath>
#include <cstring>
#include <fstream>
#include <csignal>
#include <optional>
#include <sys/resource.h>
#include <gtest/gtest.h>
#include "common/base/log.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"
#include "common/metrics/curves.h"
#include "common/metrics/training_events.h"

namespace dyad::metrics {
namespace {

namespace fs = std::filesystem;

std::uint32_t crc32c(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
  }
  return ~crc;
}
std::uint32_t masked(const std::string& bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

struct Cursor {
  std::string bytes;
  std::size_t at = 0;
  bool more() const { return at < bytes.size(); }
  std::string take(std::size_t n) {
    if (at + n > bytes.size()) throw std::runtime_error("cut short");
    at += n;
    return bytes.substr(at - n, n);
  }
  template <class T> T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 128) return value;
    }
  }
};

struct Seen {
  std::vector<std::string> versions;
  std::vector<std::uint64_t> starts;
  std::map<std::uint64_t, std::map<std::string, float>> scalars;   // by step
  std::size_t events = 0;
};

void read_value(Cursor value, std::map<std::string, float>& out) {
  std::string tag;
  while (value.more()) {
    const auto key = value.varint();
    if (key == (1 << 3 | 2)) tag = value.take(value.varint());
    else if (key == (2 << 3 | 5)) out[tag] = value.number<float>();
    else throw std::runtime_error("a field that scalars have not");
  }
}

void read_event(Cursor event, Seen& seen) {
  std::uint64_t step = 0;
  while (event.more()) {
    const auto key = event.varint();
    if (key == (1 << 3 | 1)) EXPECT_GT(event.number<double>(), 1e9);
    else if (key == (2 << 3 | 0)) step = event.varint();
    else if (key == (3 << 3 | 2)) seen.versions.push_back(event.take(event.varint()));
    else if (key == (7 << 3 | 2)) {
      EXPECT_EQ(event.take(event.varint()), std::string("\x08\x01"));
      seen.starts.push_back(step);
    } else if (key == (5 << 3 | 2)) {
      ++seen.events;
      Cursor summary{event.take(event.varint())};
      while (summary.more()) {
        ASSERT_EQ(summary.varint(), 1u << 3 | 2u);
        read_value({summary.take(summary.varint())}, seen.scalars[step]);
      }
    } else
      throw std::runtime_error("a field that events have not");
  }
}

class EventFiles : public testing::Test {
 protected:
  fs::path only_file(const fs::path& folder) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file()) {
        EXPECT_TRUE(found.empty()) << found << " and " << entry.path();
        EXPECT_TRUE(entry.path().filename().string().starts_with("events.out.tfevents.")) << entry.path();
        found = entry.path();
      }
    return found;
  }
  Seen seen() const {
    Seen seen;
    Cursor file{io::read_file(only_file(folder_.path() / kEventFolder)).value()};
    while (file.more()) {
      const std::string length = file.take(8);
      EXPECT_EQ(file.number<std::uint32_t>(), masked(length));
      std::uint64_t size = 0;
      std::memcpy(&size, length.data(), 8);
      const std::string event = file.take(size);
      EXPECT_EQ(file.number<std::uint32_t>(), masked(event));
      read_event({event}, seen);
    }
    return seen;
  }
  // A job's life: from the cut at `from` to `last`, logging each step as the trainer does.
  void train(std::uint64_t from, std::uint64_t last) {
    auto log = StepLog::open(folder_.path() / kStepLogName, Step{from}).value();
    auto events = open_training_events(folder_.path(), Step{from}).value();
    for (std::uint64_t step = from + 1; step <= last; ++step) {
      const StepRecord record{Step{step}, 0, {{"loss", 1.0 / static_cast<double>(step)}, {"loss.gen.behaviour.1", 0.5},
                                              {"lr", 1e-3}, {"samples", 64}}};
      ASSERT_TRUE(log.append(record));
      ScalarEvent event{1.7e9 + static_cast<double>(step), Step{step}, scalars_of(record)};
      event.scalars[kSpeedTag] = 640;
      ASSERT_TRUE(events.append(event));
    }
  }
  io::TempFolder folder_;
};

TEST_F(EventFiles, AnIndependentReaderFindsEveryScalarOfEveryStep) {
  ASSERT_EQ(crc32c("123456789"), 0xe3069283u);
  train(0, 300);
  const Seen found = seen();
  EXPECT_EQ(found.versions, std::vector<std::string>{"brain.Event:2"});
  EXPECT_EQ(found.events, 300u);
  ASSERT_EQ(found.scalars.size(), 300u);
  const std::map<std::string, float> expected{{"loss/total", 1.0f / 200}, {"loss/gen.behaviour.1", 0.5f},
                                              {"learning_rate", 1e-3f}, {"samples_per_second", 640}};
  EXPECT_EQ(found.scalars.at(200), expected);
}

TEST_F(EventFiles, GoingOnFromACutDoublesNoStepAndLosesNone) {
  train(0, 25);
  std::ofstream(only_file(folder_.path() / kEventFolder), std::ios::app) << "killed while it wrote";
  train(10, 14);
  train(12, 20);
  const Seen found = seen();
  EXPECT_EQ(found.events, 20u);
  EXPECT_EQ(found.starts.size(), 1u);
  for (std::uint64_t step = 1; step <= 20; ++step)
    EXPECT_FLOAT_EQ(found.scalars.at(step).at("loss/total"), 1.0f / step);
  const auto kept = read_events(folder_.path() / kEventFolder).value();
  EXPECT_EQ(kept.at(9).wall_time, 1.7e9 + 10);                  // what is kept keeps its time
}

TEST_F(EventFiles, ASeriesThatWasRemovedComesBackFromTheStepLog) {
  train(0, 20);
  fs::remove_all(folder_.path() / kEventFolder);
  train(20, 30);
  EXPECT_EQ(seen().events, 30u);
  EXPECT_FLOAT_EQ(seen().scalars.at(7).at("loss/total"), 1.0f / 7);
}

TEST_F(EventFiles, ADamagedRecordAndWhatFollowsItIsLeftOut) {
  train(0, 3);
  const fs::path file = only_file(folder_.path() / kEventFolder);
  std::string bytes = io::read_file(file).value();
  bytes[bytes.size() - 20] ^= 1;
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(read_events(folder_.path() / kEventFolder).value().size(), 2u);
}

// While it lives no file of this process grows beyond `bytes`: the write that would fails, after a part of it.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : ignored_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }

 private:
  rlimit before_{};
  void (*ignored_)(int);
};

TEST_F(EventFiles, AFullDiskLeavesWholeRecordsAndOnceThereIsRoomTheFilesOfAnUndisturbedRun) {
  const auto record = [](std::uint64_t step) { return StepRecord{Step{step}, 0, {{"loss", 1.0 / (1.0 + step)}}}; };
  const fs::path file = folder_.path() / kStepLogName;
  std::string undisturbed, during;
  {
    auto log = StepLog::open(file, Step{0}).value();
    for (std::uint64_t step = 1; step <= 60; ++step) ASSERT_TRUE(log.append(record(step)));
    undisturbed = io::read_file(file).value();
  }
  auto log = StepLog::open(file, Step{0}).value();
  auto events = open_training_events(folder_.path(), Step{0}).value();
  std::uint64_t late = 0;
  set_log_role("test", -1);                                      // to stderr
  testing::internal::CaptureStderr();
  for (std::uint64_t step = 1; step <= 50; ++step) {
    const FullDisk full(1001);
    late += log.append(record(step)) ? 0 : 1;
    events.append({1.7e9, Step{step}, scalars_of(record(step))});
  }
  during = io::read_file(file).value();
  const auto events_during = read_events(folder_.path() / kEventFolder).value().size();
  for (std::uint64_t step = 51; step <= 60; ++step) {
    EXPECT_TRUE(log.append(record(step)));
    EXPECT_TRUE(events.append({1.7e9, Step{step}, scalars_of(record(step))}));
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_GT(late, 10u);
  EXPECT_EQ(during.back(), '\n');
  EXPECT_TRUE(undisturbed.starts_with(during));
  EXPECT_EQ(io::read_file(file).value(), undisturbed);
  EXPECT_LT(events_during, 50u);
  EXPECT_EQ(seen().events, 60u);                                 // an independent reader: no torn one in between
  const auto count = [&said](const std::string& words) {
    std::size_t n = 0;
    for (auto at = said.find(words); at != std::string::npos; at = said.find(words, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("what comes is kept"), 2u) << said;            // one a file
  EXPECT_EQ(count("can be written again"), 2u) << said;
}

TEST_F(EventFiles, WhatAFullDiskLeavesUnwrittenAtTheEndIsNamedAndBounded) {
  const fs::path file = folder_.path() / "records";
  std::ofstream(file) << "";
  const auto record = [](std::size_t bytes, char letter) { return std::string(bytes - 1, letter) + "\n"; };
  set_log_role("test", -1);                                      // to stderr
  testing::internal::CaptureStderr();
  {
    const FullDisk full(2000);
    GrowingFile grows(file, "", 3);
    for (const char letter : {'a', 'b'}) EXPECT_FALSE(grows.append(record(2100, letter)));
    for (const char letter : {'c', 'd', 'e'}) EXPECT_FALSE(grows.append(record(900, letter)));
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(io::read_file(file).value(), record(900, 'c') + record(900, 'd'));   // had room, the large ones given up
  EXPECT_NE(said.find("records: 3 records are missing"), std::string::npos) << said;
}

TEST_F(EventFiles, ADiskThatIsFullAtTheStartLeavesWhatWasThereAndOnceThereIsRoomTheFilesOfAnUndisturbedRun) {
  const auto record = [](std::uint64_t step) { return StepRecord{Step{step}, 0, {{"loss", 1.0 / (1.0 + step)}}}; };
  const fs::path file = folder_.path() / kStepLogName;
  const auto go_on = [&](std::uint64_t from, std::uint64_t full_until) {
    std::optional<FullDisk> full(std::in_place, full_until > from ? 10 : RLIM_INFINITY);
    auto log = StepLog::open(file, Step{from});
    auto events = open_training_events(folder_.path(), Step{from});
    ASSERT_TRUE(log && events);
    for (std::uint64_t step = from + 1; step <= 60; ++step) {
      if (step == full_until) full.reset();
      EXPECT_EQ(log.value().append(record(step)), step >= full_until) << step;
      events.value().append({1.7e9, Step{step}, scalars_of(record(step))});
    }
  };
  go_on(0, 0);
  const std::string undisturbed = io::read_file(file).value();
  go_on(0, 30);                                                  // a fresh run
  EXPECT_EQ(io::read_file(file).value(), undisturbed);
  EXPECT_EQ(seen().events, 60u);
  go_on(20, 40);                                                 // one that goes on
  EXPECT_EQ(io::read_file(file).value(), undisturbed);
  EXPECT_EQ(read_events(folder_.path() / kEventFolder).value().size(), 60u);
  {
    const FullDisk full(10);
    auto log = StepLog::open(file, Step{20}).value();
    EXPECT_FALSE(log.append(record(21)));
  }
  EXPECT_EQ(io::read_file(file).value(), undisturbed) << "never any room: as it was";
}

class CurveOfAJob : public testing::Test {
 protected:
  void train(std::uint64_t from, std::uint64_t last) {
    auto log = StepLog::open(file_, Step{from}).value();
    for (std::uint64_t step = from + 1; step <= last; ++step)
      ASSERT_TRUE(log.append({Step{step}, 0, {{"loss", step % 2 ? 3.0 : 1.0}}}));
  }
  io::TempFolder folder_;
  fs::path file_ = folder_.path() / kStepLogName;
};

TEST_F(CurveOfAJob, IsAsSmoothAfterAResumeAsBefore) {
  CurveFile curve(file_);
  ASSERT_TRUE(curve.refresh());
  EXPECT_FALSE(curve.exists());
  train(0, 1500);
  ASSERT_TRUE(curve.refresh());
  train(1000, 3000);                                             // went back to a cut, in a new file
  ASSERT_TRUE(curve.refresh());
  const auto& points = curve.curves().points();
  ASSERT_GT(points.size(), Curves::kPointsMax / 2);
  ASSERT_LE(points.size(), Curves::kPointsMax);
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    EXPECT_EQ(points[i].records, points[0].records) << i;
    EXPECT_NEAR(points[i].mean("loss"), 2.0, 1e-12) << i;
  }
  EXPECT_EQ(points.back().step, Step{3000});
}

TEST_F(CurveOfAJob, ALineThatIsStillWrittenComesLater) {
  CurveFile curve(file_);
  train(0, 2);
  const std::string text = io::read_file(file_).value();
  std::ofstream(file_) << text.substr(0, text.size() - 5);
  ASSERT_TRUE(curve.refresh());
  EXPECT_EQ(curve.curves().points().size(), 1u);
  std::ofstream(file_, std::ios::app) << text.substr(text.size() - 5);
  ASSERT_TRUE(curve.refresh());
  EXPECT_EQ(curve.curves().points().size(), 2u);
}

}  // namespace
}  // namespace dyad::metrics
