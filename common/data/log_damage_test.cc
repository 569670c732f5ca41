// The log against files that were cut, altered, swapped, removed or written by a newer program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstring>
#include <fstream>
#include "common/base/digest.h"
#include "common/base/random.h"
#include "common/data/log_format.h"
#include "common/data/log_reader.h"
#include "common/data/log_writer.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::HasSubstr;

class DamagedLog : public testing::Test {
 protected:
  void SetUp() override {                                      // 60 events in batches of 5, 25 a segment
    LogWriter writer =
        LogWriter::open(folder_.path(), {.partitions = 1, .batch_events = 5, .segment_bytes = 200}).value();
    for (std::uint32_t i = 0; i < 60; ++i) CHECK(writer.append({UserId{i}, ItemId{i * 3}, 1000 + i}).has_value());
    CHECK(writer.close().has_value());
    segment_ = io::read_file(file("00000000.seg")).value();
  }
  std::filesystem::path file(const char* name) const { return folder_ / "p0000" / name; }
  static void put(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  Status read() const {
    return open_directory_log(folder_.path())
        .value()
        ->read(PartitionId{0}, 0, 60, [](std::uint64_t, std::span<const Event>) { return ok(); });
  }
  std::string error() const {
    const Status status = read();
    if (status.has_value()) return "read without an error";
    EXPECT_EQ(status.error().code, Code::kInvalid) << status.error().message;
    return status.error().message;
  }

  io::TempFolder folder_;
  std::string segment_;
};

TEST_F(DamagedLog, EveryAlteredByteOfASegmentIsFoundAndNamed) {
  ASSERT_TRUE(read().has_value());
  for (std::size_t i = 0; i < segment_.size(); ++i)
    for (const int bit : {0, 7}) {
      std::string bytes = segment_;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      put(file("00000000.seg"), bytes);
      EXPECT_THAT(error(), HasSubstr("00000000.seg: batch at ")) << "byte " << i;
    }
}

TEST_F(DamagedLog, EveryTruncationIsFoundAndNamed) {
  for (std::size_t n = 0; n < segment_.size(); ++n) {
    put(file("00000000.seg"), segment_.substr(0, n));
    EXPECT_FALSE(read().has_value()) << n;
  }
  put(file("00000000.seg"), segment_.substr(0, segment_.size() - 1));
  EXPECT_THAT(error(), HasSubstr("00000000.seg: batch at offset 20 (byte"));
  EXPECT_THAT(error(), HasSubstr("cut short"));
}

TEST_F(DamagedLog, VersionFromTomorrowSaysSo) {
  std::string bytes = segment_;
  bytes[4] = 2;
  put(file("00000000.seg"), bytes);
  EXPECT_THAT(error(), HasSubstr("use a newer Dyad"));
}

TEST_F(DamagedLog, SwappedSegmentIsFound) {
  put(file("00000001.seg"), segment_);
  EXPECT_THAT(error(), HasSubstr("a segment is missing or altered"));
}

TEST_F(DamagedLog, MissingLastSegmentIsNotFound) {
  std::filesystem::remove(file("00000002.seg"));
  EXPECT_EQ(read().error().code, Code::kNotFound);
}

// As a stale handle of a shared disk: the program ended by std::terminate.
TEST_F(DamagedLog, ASegmentThatTheSystemCannotLookAtIsAnErrorAndNoException) {
  std::filesystem::remove(file("00000001.seg"));
  std::filesystem::create_symlink("00000001.seg", file("00000001.seg"));
  EXPECT_THAT(read().error().message, HasSubstr("00000001.seg"));
  const auto log = open_directory_log(folder_.path()).value();
  EXPECT_THAT(log->end(PartitionId{0}).error().message, HasSubstr("00000001.seg"));
}

TEST_F(DamagedLog, AlteredIndexIsNamed) {
  std::string index = io::read_file(file("00000000.idx")).value();
  index[9] ^= 4;
  put(file("00000000.idx"), index);
  EXPECT_THAT(error(), HasSubstr("00000000.idx"));
  std::filesystem::remove(file("00000000.idx"));
  EXPECT_TRUE(read().has_value());
}

TEST_F(DamagedLog, TornTailIsNotCountedAndCutOffByTheNextWriter) {
  const std::string torn = log::encode_batch(60, std::vector<Event>(9, {UserId{1}, ItemId{1}, 5}));
  std::string last;
  const char* name = "00000000.seg";
  for (const char* n : {"00000001.seg", "00000002.seg"}) if (std::filesystem::exists(file(n))) name = n;
  last = io::read_file(file(name)).value();
  for (const std::size_t n : {std::size_t{1}, std::size_t{31}, std::size_t{40}, torn.size() - 1}) {
    put(file(name), last + torn.substr(0, n));
    const auto log = open_directory_log(folder_.path()).value();
    EXPECT_EQ(log->end(PartitionId{0}).value(), 60u) << n;
    EXPECT_TRUE(read().has_value());
    LogWriter writer = LogWriter::open(folder_.path(), {.partitions = 1}).value();
    EXPECT_EQ(writer.end(PartitionId{0}), 60u);
    EXPECT_EQ(std::filesystem::file_size(file(name)), last.size());
  }
}

// The batch with the checksum that its altered bytes ask for, as a writer with a fault would leave it.
std::string with_checksum(std::string bytes) {
  Digest digest;
  digest.update(std::as_bytes(std::span(bytes)).first(24));
  digest.update(std::as_bytes(std::span(bytes)).subspan(log::kHeaderBytes));
  const std::uint64_t value = digest.value();
  std::memcpy(bytes.data() + 24, &value, sizeof value);
  return bytes;
}

bool is_read(const std::string& bytes, std::vector<Event>& events) {
  const auto header = log::decode_header(std::as_bytes(std::span(bytes)), "x");
  return header.has_value() &&
         log::decode_body(std::as_bytes(std::span(bytes)), header.value(), "x", events).has_value();
}

// What a decoder of outside bytes must do with anything: an error or events, never a crash.
TEST(LogFormat, RandomBodiesUnderAValidChecksumAreReadOrRefused) {
  KeyedRandom random(3);
  const std::string whole = log::encode_batch(0, std::vector<Event>(4, {UserId{300}, ItemId{70000}, INT64_MAX}));
  std::size_t read = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = whole;
    const std::size_t body = bytes.size() - log::kHeaderBytes, edits = 1 + random.below(4);
    for (std::size_t k = 0; k < edits; ++k)
      bytes[log::kHeaderBytes + random.below(body)] = static_cast<char>(random.next());
    std::vector<Event> events;
    EXPECT_FALSE(bytes != whole && is_read(bytes, events));        // altered, and the checksum not yet right
    events.clear();
    const bool good = is_read(with_checksum(bytes), events);
    ++(good ? read : refused);
    EXPECT_TRUE(good ? events.size() == 4 : events.size() <= 4);
  }
  EXPECT_GT(read, 100u);
  EXPECT_GT(refused, 1000u);
}

// Cut anywhere, and under a header that says so: the last event's numbers end within it, or an error.
TEST(LogFormat, ABodyCutShortUnderAValidHeaderIsRefused) {
  const std::string whole = log::encode_batch(0, std::vector<Event>(4, {UserId{300}, ItemId{70000}, INT64_MAX}));
  for (std::size_t body = 0; body + log::kHeaderBytes < whole.size(); ++body) {
    std::string bytes = whole.substr(0, log::kHeaderBytes + body);
    const auto size = static_cast<std::uint32_t>(body);
    std::memcpy(bytes.data() + 20, &size, sizeof size);
    std::vector<Event> events;
    EXPECT_FALSE(is_read(with_checksum(bytes), events)) << body;
  }
}

}  // namespace
}  // namespace dyad::data
