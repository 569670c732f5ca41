#include "common/data/log_reader.h"

#include <algorithm>
#include "common/base/check.h"
#include "common/base/random.h"
#include "common/data/log_segment.h"
#include "common/io/files.h"

namespace dyad::data {
namespace {

class DirectoryLog : public LogSource {
 public:
  DirectoryLog(std::filesystem::path log, std::uint32_t partitions) : log_(std::move(log)), partitions_(partitions) {}
  std::uint32_t partitions() const override { return partitions_; }

  // By the last segment's index, then header by header. A batch cut short at the very end is one that is being written.
  Result<std::uint64_t> end(PartitionId partition) override {
    const std::filesystem::path folder = log::partition_folder(log_, partition);
    DYAD_TRY(segments, log::count_segments(folder));
    for (std::size_t number = segments; number > 0; --number) {
      DYAD_TRY(segment, log::Segment::open(log::segment_file(folder, number - 1)));
      DYAD_TRY(start, segment.seek(UINT64_MAX));
      std::optional<std::uint64_t> next;
      for (std::size_t byte = start; !segment.is_cut_at(byte);) {
        DYAD_TRY(batch, segment.batch_at(byte, next));
        if (!batch) break;
        byte += batch->header.bytes();
        next = batch->header.end();
      }
      if (next) return *next;
    }
    return std::uint64_t{0};
  }

  Status read(PartitionId partition, std::uint64_t begin, std::uint64_t end, const EventVisitor& visit) override {
    if (begin >= end) return ok();
    const std::filesystem::path folder = log::partition_folder(log_, partition);
    DYAD_TRY(first, segment_with(folder, begin));
    std::uint64_t at = begin;
    std::optional<std::uint64_t> expected;
    for (std::size_t number = first; at < end; ++number) {
      const std::filesystem::path file = log::segment_file(folder, number);
      DYAD_TRY(there, io::exists(file));
      if (!there)
        return fail(Code::kNotFound, "{}: the log ends at offset {}, asked for {} to {}", folder.string(), at, begin,
                    end);
      DYAD_TRY(segment, log::Segment::open(file));
      DYAD_TRYV(read_segment(segment, at, end, expected, visit));
    }
    return ok();
  }

 private:
  // The number of the last segment that begins at or before `offset`.
  static Result<std::size_t> segment_with(const std::filesystem::path& folder, std::uint64_t offset) {
    DYAD_TRY(segments, log::count_segments(folder));
    for (std::size_t number = segments; number > 1; --number) {
      DYAD_TRY(segment, log::Segment::open(log::segment_file(folder, number - 1)));
      if (segment.is_cut_at(0)) continue;
      DYAD_TRY(batch, segment.batch_at(0, std::nullopt));
      if (batch && batch->header.base <= offset) return number - 1;
    }
    return std::size_t{0};
  }

  // Visits [at, end) as far as the segment reaches and moves `at`; `expected` is the offset the next batch must have.
  static Status read_segment(const log::Segment& segment, std::uint64_t& at, std::uint64_t end,
                             std::optional<std::uint64_t>& expected, const EventVisitor& visit) {
    std::size_t byte = 0;
    if (expected) {
      DYAD_TRYV(segment.batch_at(0, expected));
    } else {
      DYAD_TRY(found, segment.seek(at));
      byte = found;
    }
    std::vector<Event> events;
    while (at < end) {
      DYAD_TRY(batch, segment.batch_at(byte, expected));
      if (!batch) return ok();
      const log::BatchHeader& header = batch->header;
      if (!expected && header.base > at)
        return fail(Code::kInvalid, "{}: begins at {}, offset {} is missing", batch->where, header.base, at);
      expected = header.end();
      byte += header.bytes();
      if (header.end() <= at) continue;
      events.clear();
      DYAD_TRYV(log::decode_body(batch->bytes, header, batch->where, events));
      const std::uint64_t stop = std::min(end, header.end());
      DYAD_TRYV(visit(at, std::span(events).subspan(at - header.base, stop - at)));
      at = stop;
    }
    return ok();
  }

  std::filesystem::path log_;
  std::uint32_t partitions_;
};

}  // namespace

PartitionId partition_of(UserId user, std::uint32_t partitions) {
  CHECK_GT(partitions, 0u);
  return PartitionId{static_cast<std::uint32_t>(mix64(user.value) % partitions)};
}

Result<std::unique_ptr<LogSource>> open_directory_log(const std::filesystem::path& log) {
  DYAD_TRY(partitions, log::count_partitions(log));
  if (partitions == 0) return fail(Code::kNotFound, "{}: no interaction log here (no folder p0000)", log.string());
  return std::unique_ptr<LogSource>(std::make_unique<DirectoryLog>(log, partitions));
}

}  // namespace dyad::data
