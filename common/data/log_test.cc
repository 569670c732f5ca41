#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "common/base/random.h"
#include "common/data/log_reader.h"
#include "common/data/log_segment.h"
#include "common/data/log_writer.h"
#include "common/io/atomic_file.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

std::vector<Event> make_events(std::size_t n, std::uint64_t seed = 1) {
  std::vector<Event> events;
  KeyedRandom random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t time = random.below(10) == 0 ? -1 : static_cast<std::int64_t>(random.next() >> random.below(64));
    events.push_back({UserId{static_cast<std::uint32_t>(random.below(40))},
                      ItemId{static_cast<std::uint32_t>(random.next())}, time});
  }
  return events;
}
void write_events(const std::filesystem::path& log, std::span<const Event> events, const LogWriterOptions& options) {
  LogWriter writer = LogWriter::open(log, options).value();
  for (const Event& event : events) CHECK(writer.append(event).has_value());
  CHECK(writer.close().has_value());
}
std::vector<Event> of_partition(std::span<const Event> events, PartitionId partition, std::uint32_t partitions) {
  std::vector<Event> out;
  for (const Event& event : events)
    if (partition_of(event.user, partitions) == partition) out.push_back(event);
  return out;
}
std::vector<Event> read_events(LogSource& log, PartitionId partition, std::uint64_t begin, std::uint64_t end) {
  std::vector<Event> out;
  CHECK(log.read(partition, begin, end, [&](std::uint64_t first, std::span<const Event> events) {
    CHECK_EQ(first, begin + out.size());
    out.insert(out.end(), events.begin(), events.end());
    return ok();
  }).has_value());
  return out;
}
bool equal(std::span<const Event> a, std::span<const Event> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Event& x, const Event& y) {
    return x.user == y.user && x.item == y.item && x.time_s == y.time_s;
  });
}
constexpr LogWriterOptions kSmall{.partitions = 3, .batch_events = 7, .segment_bytes = 400};

TEST(Log, AnyRangeIsReadBackWithAndWithoutTheIndex) {
  const io::TempFolder folder;
  const std::vector<Event> events = make_events(1000);
  write_events(folder.path(), events, kSmall);
  for (const bool indexed : {true, false}) {
    if (!indexed)
      for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
        if (entry.path().extension() == ".idx") std::filesystem::remove(entry.path());
    const auto log = open_directory_log(folder.path()).value();
    ASSERT_EQ(log->partitions(), 3u);
    KeyedRandom random(2);
    for (std::uint32_t p = 0; p < 3; ++p) {
      const std::vector<Event> want = of_partition(events, PartitionId{p}, 3);
      ASSERT_EQ(log->end(PartitionId{p}).value(), want.size());
      EXPECT_TRUE(equal(read_events(*log, PartitionId{p}, 0, want.size()), want));
      for (int i = 0; i < 100; ++i) {
        const std::uint64_t begin = random.below(want.size()), end = begin + random.below(want.size() - begin + 1);
        EXPECT_TRUE(equal(read_events(*log, PartitionId{p}, begin, end), std::span(want).subspan(begin, end - begin)));
      }
    }
  }
  EXPECT_GT(log::count_segments(log::partition_folder(folder.path(), PartitionId{0})).value(), 3u);
}

TEST(Log, ReopenedGoesOnWhereItEndedAndSameEventsAreTheSameBytes) {
  const io::TempFolder folder;
  const std::vector<Event> events = make_events(300);
  for (std::size_t i = 0; i < events.size(); i += 50)
    write_events(folder / "a", std::span(events).subspan(i, 50), kSmall);
  const auto log = open_directory_log(folder / "a").value();
  for (std::uint32_t p = 0; p < 3; ++p) {
    const std::vector<Event> want = of_partition(events, PartitionId{p}, 3);
    EXPECT_TRUE(equal(read_events(*log, PartitionId{p}, 0, log->end(PartitionId{p}).value()), want));
  }
  write_events(folder / "b", events, kSmall);
  write_events(folder / "c", events, kSmall);
  EXPECT_EQ(io::read_file(folder / "b/p0000/00000001.seg").value(),
            io::read_file(folder / "c/p0000/00000001.seg").value());
  EXPECT_FALSE(LogWriter::open(folder / "a", {.partitions = 4}).has_value());
}

TEST(Log, WhatIsFlushedIsSeenByAnOpenReader) {
  const io::TempFolder folder;
  LogWriter writer = LogWriter::open(folder.path(), {.partitions = 1}).value();
  const auto log = open_directory_log(folder.path()).value();
  EXPECT_EQ(log->end(PartitionId{0}).value(), 0u);
  ASSERT_TRUE(writer.append({UserId{1}, ItemId{2}, 3}).has_value());
  EXPECT_EQ(log->end(PartitionId{0}).value(), 0u);
  ASSERT_TRUE(writer.flush().has_value());
  EXPECT_EQ(log->end(PartitionId{0}).value(), 1u);
  const auto beyond = log->read(PartitionId{0}, 0, 2, [](std::uint64_t, std::span<const Event>) { return ok(); });
  EXPECT_EQ(beyond.error().code, Code::kNotFound);
}

TEST(Log, AnErrorOfTheVisitorStopsTheReading) {
  const io::TempFolder folder;
  write_events(folder.path(), make_events(100), kSmall);
  int calls = 0;
  const auto read = open_directory_log(folder.path())
                        .value()
                        ->read(PartitionId{0}, 0, 20, [&](std::uint64_t, std::span<const Event>) -> Status {
                          ++calls;
                          return fail(Code::kOverloaded, "later");
                        });
  EXPECT_EQ(read.error().code, Code::kOverloaded);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace dyad::data
