#include "common/data/log_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include "common/base/check.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/data/log_reader.h"
#include "common/data/log_segment.h"
#include "common/io/atomic_file.h"

namespace dyad::data {
namespace {

class AppendFile {
 public:
  AppendFile() = default;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile() { if (fd_ >= 0) ::close(fd_); }
  bool is_open() const { return fd_ >= 0; }
  Status open(const std::filesystem::path& path) {
    path_ = path;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd_ < 0) return io::system_error("open", path);
    return ok();
  }
  Status append(std::string_view text) { return io::write_all(fd_, std::as_bytes(std::span(text)), path_); }
  Status close() {
    const int fd = std::exchange(fd_, -1);
    if (fd < 0) return ok();
    const bool synced = ::fsync(fd) == 0;
    const Error error = io::system_error("sync", path_);
    ::close(fd);
    if (!synced) return error;
    return ok();
  }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace

struct LogWriter::Partition {
  std::filesystem::path folder;
  std::vector<Event> buffer;
  std::uint64_t written = 0;                    // offset of the next batch
  std::size_t segment = 0, segment_bytes = 0;
  AppendFile data, index;
  Digest digest;
};

LogWriter::LogWriter(std::filesystem::path log, const LogWriterOptions& options)
    : log_(std::move(log)), options_(options) {}
LogWriter::LogWriter(LogWriter&&) noexcept = default;
LogWriter::~LogWriter() = default;

Result<LogWriter> LogWriter::open(const std::filesystem::path& log, const LogWriterOptions& options) {
  CHECK(options.partitions > 0 && options.batch_events > 0 && options.batch_events <= log::kBatchEventsMax);
  DYAD_TRY(existing, log::count_partitions(log));
  if (existing != 0 && existing != options.partitions)
    return fail(Code::kInvalid, "{}: a log of {} partitions, asked to write {}", log.string(), existing,
                options.partitions);
  LogWriter writer(log, options);
  for (std::uint32_t p = 0; p < options.partitions; ++p) {
    auto partition = std::make_unique<Partition>();
    partition->folder = log::partition_folder(log, PartitionId{p});
    std::error_code error;
    std::filesystem::create_directories(partition->folder, error);
    if (error) return fail(Code::kFailed, "{}: cannot create: {}", partition->folder.string(), error.message());
    DYAD_TRYV(writer.resume(*partition));
    writer.partitions_.push_back(std::move(partition));
  }
  return writer;
}

// Walks the last segment (every checksum), cuts a torn batch off its end and writes its index anew.
Status LogWriter::resume(Partition& partition) {
  DYAD_TRY(segments, log::count_segments(partition.folder));
  if (segments == 0) return ok();
  DYAD_TRY(source, open_directory_log(log_));
  partition.segment = segments - 1;
  const std::filesystem::path file = log::segment_file(partition.folder, partition.segment);
  DYAD_TRY(segment, log::Segment::open(file));
  std::optional<std::uint64_t> next;
  std::string index;
  std::size_t byte = 0;
  std::vector<Event> events;
  while (!segment.is_cut_at(byte)) {
    DYAD_TRY(batch, segment.batch_at(byte, next));
    if (!batch) break;
    DYAD_TRYV(log::decode_body(batch->bytes, batch->header, batch->where, events));
    events.clear();
    index += log::encode_index_entry({batch->header.base, byte});
    byte += batch->header.bytes();
    next = batch->header.end();
  }
  if (byte < segment.bytes()) {
    LOG_WARN("{}: removed {} bytes of a batch that was cut short at byte {}", file.string(), segment.bytes() - byte,
             byte);
    if (::truncate(file.c_str(), static_cast<off_t>(byte)) != 0) return io::system_error("truncate", file);
  }
  DYAD_TRYV(io::write_file_atomic(log::index_file(file), index));
  partition.segment_bytes = byte;
  const PartitionId self{static_cast<std::uint32_t>(partitions_.size())};
  DYAD_TRY(end, source->end(self));              // an empty last segment begins where the one before ends
  partition.written = next.value_or(end);
  return ok();
}

Status LogWriter::open_segment(Partition& partition) {
  const std::filesystem::path file = log::segment_file(partition.folder, partition.segment);
  DYAD_TRYV(partition.data.open(file));
  return partition.index.open(log::index_file(file));
}

Status LogWriter::append(const Event& event) {
  Partition& partition = *partitions_[partition_of(event.user, options_.partitions).value];
  partition.buffer.push_back(event);
  return partition.buffer.size() < options_.batch_events ? ok() : write_batch(partition);
}

Status LogWriter::write_batch(Partition& partition) {
  if (partition.buffer.empty()) return ok();
  if (!partition.data.is_open()) {
    DYAD_TRYV(open_segment(partition));
  }
  const std::string bytes = log::encode_batch(partition.written, partition.buffer);
  DYAD_TRYV(partition.data.append(bytes));
  DYAD_TRYV(partition.index.append(log::encode_index_entry({partition.written, partition.segment_bytes})));
  partition.digest.update(std::as_bytes(std::span(partition.buffer)));
  partition.written += partition.buffer.size();
  partition.segment_bytes += bytes.size();
  partition.buffer.clear();
  if (partition.segment_bytes < options_.segment_bytes) return ok();
  DYAD_TRYV(partition.data.close());
  DYAD_TRYV(partition.index.close());
  ++partition.segment;
  partition.segment_bytes = 0;
  return ok();
}

Status LogWriter::flush() {
  for (auto& partition : partitions_) {
    DYAD_TRYV(write_batch(*partition));
  }
  return ok();
}

Status LogWriter::close() {
  DYAD_TRYV(flush());
  for (auto& partition : partitions_) {
    DYAD_TRYV(partition->data.close());
    DYAD_TRYV(partition->index.close());
    DYAD_TRYV(io::sync_folder(partition->folder));
  }
  return io::sync_folder(log_);
}

std::uint64_t LogWriter::end(PartitionId partition) const {
  const Partition& p = *partitions_[partition.value];
  return p.written + p.buffer.size();
}
std::uint64_t LogWriter::digest(PartitionId partition) const { return partitions_[partition.value]->digest.value(); }

}  // namespace dyad::data
