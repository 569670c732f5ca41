// A partition of the interaction log (common/data/log_reader.h):
//   | segment 0 | index 0 | segment 1 | index 1 | begin u8 |
#include "common/data/log_reader.h"
#include "common/data/log_segment.h"
#include "common/data/log_writer.h"
#include "tests/fuzz/log_bytes.h"

namespace dyad::fuzz {
namespace {

namespace log = data::log;

std::filesystem::path partition() { return log::partition_folder(folder() / "log", PartitionId{0}); }

void put_log(const std::vector<std::string>& parts) {
  std::filesystem::create_directories(partition());
  for (std::size_t i = 0; i < 2; ++i) {
    const std::filesystem::path segment = log::segment_file("log/p0000", i);
    put(segment, with_batch_checksums(parts[2 * i]));
    put(log::index_file(segment), with_entry_checksums(parts[2 * i + 1]));
  }
}

std::vector<data::Event> read(std::uint64_t begin, std::uint64_t end) {
  std::vector<data::Event> events;
  (void)data::open_directory_log(folder() / "log").value()->read(
      PartitionId{0}, begin, end, [&](std::uint64_t first, std::span<const data::Event> part) {
        CHECK(first == begin + events.size() && !part.empty());
        events.insert(events.end(), part.begin(), part.end());
        return ok();
      });
  return events;
}

// What a batch says, written as a batch, says the same.
void check_again(const std::vector<data::Event>& events) {
  if (events.empty() || events.size() > log::kBatchEventsMax) return;
  const std::string once = log::encode_batch(7, events);
  const auto header = log::decode_header(std::as_bytes(std::span(once)), "x");
  std::vector<data::Event> again;
  CHECK(header.has_value() && log::decode_body(std::as_bytes(std::span(once)), header.value(), "x", again).has_value());
  CHECK(log::encode_batch(7, again) == once);
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> parts;
  {
    auto writer = data::LogWriter::open(folder() / "log", {1, 4, 100}).value();
    for (std::uint32_t i = 0; i < 24; ++i)
      CHECK(writer.append({UserId{i * 100'000}, ItemId{i * 3}, i % 5 == 0 ? -1 : 1'600'000'000 + i}).has_value());
    CHECK(writer.close().has_value());
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const std::filesystem::path segment = log::segment_file(partition(), i);
    parts.push_back(bytes_of(segment));
    parts.push_back(bytes_of(log::index_file(segment)));
  }
  std::filesystem::remove_all(folder() / "log");
  parts.push_back("\x05");
  return {join(parts), join({parts[0], "", "", "", ""})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 5);
  put_log(parts);
  const auto opened = data::open_directory_log(folder() / "log").value();
  const auto end = opened->end(PartitionId{0});
  const std::uint64_t begin = parts[4].empty() ? 0 : static_cast<std::uint8_t>(parts[4][0]);
  const std::vector<data::Event> all = read(0, UINT64_MAX), some = read(begin, begin + 16);
  check_again(all);
  if (!end) return;
  CHECK_LE(some.size(), 16u);
  data::LogWriterOptions options;
  options.partitions = 1;
  auto writer = data::LogWriter::open(folder() / "log", options);   // goes on at the end, or says why not
  if (!writer) return;
  CHECK(writer.value().append({UserId{1}, ItemId{2}, 3}).has_value() && writer.value().close().has_value());
}

}  // namespace dyad::fuzz
