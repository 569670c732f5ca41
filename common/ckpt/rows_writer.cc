#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include "common/base/check.h"
#include "common/ckpt/rows_file.h"
#include "common/ckpt/rows_file_layout.h"

namespace dyad::ckpt {

std::string rows_file_name(GroupId group) { return fmt::format("rows/g{:04}.rows", group.value); }

struct RowsWriter::State {
  static constexpr std::size_t kBuffer = 1 << 20;
  std::filesystem::path path, temporary;
  RowsHeader header;
  int fd = -1;
  std::vector<std::byte> buffer;
  Digest digest;
  std::uint64_t bytes = 0, sections = 0;
  std::uint64_t last = 0;                        // (bucket, table) + 1 of the last section
  int error = 0;                                 // errno of the first write that failed

  void flush() {
    std::span<const std::byte> rest = buffer;
    while (!rest.empty() && error == 0) {
      const ssize_t n = ::write(fd, rest.data(), rest.size());
      if (n < 0 && errno != EINTR) error = errno;
      if (n > 0) rest = rest.subspan(static_cast<std::size_t>(n));
    }
    buffer.clear();
  }
  void put(const void* data, std::size_t n) {
    const std::span bytes_of{static_cast<const std::byte*>(data), n};
    digest.update(bytes_of);
    bytes += n;
    buffer.insert(buffer.end(), bytes_of.begin(), bytes_of.end());
    if (buffer.size() >= kBuffer) flush();
  }
  void pad() {
    const std::uint64_t zero = 0;
    put(&zero, layout::padded(bytes) - bytes);
  }
  Error failed(const char* what, int number) const {
    return fail(Code::kFailed, "{} {}: {}", what, temporary.string(), std::strerror(number));
  }
  ~State() {
    if (fd < 0) return;
    ::close(fd);
    ::unlink(temporary.c_str());
  }
};

RowsWriter::RowsWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowsWriter::RowsWriter(RowsWriter&&) noexcept = default;
RowsWriter::~RowsWriter() = default;

Result<RowsWriter> RowsWriter::create(const std::filesystem::path& path, const RowsHeader& header) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->temporary = path.string() + ".tmp";
  state->header = header;
  std::error_code ignored;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  state->fd = ::open(state->temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (state->fd < 0) return state->failed("cannot create", errno);
  state->buffer.reserve(State::kBuffer + 4096);
  layout::File file{{}, layout::kVersion, static_cast<std::uint32_t>(header.tables.size()), header.step.value, header.group.value, header.groups,
                    header.buckets, 0};
  std::memcpy(file.magic, layout::kMagic, sizeof file.magic);
  state->put(&file, sizeof file);
  for (const RowsTable& t : header.tables) {
    layout::Table table{static_cast<std::uint32_t>(t.table), t.dim, t.slots, {}};
    CHECK_LT(t.optimizer.size(), sizeof table.optimizer);
    std::memcpy(table.optimizer, t.optimizer.data(), t.optimizer.size());
    state->put(&table, sizeof table);
  }
  return RowsWriter(std::move(state));
}

Status RowsWriter::section(BucketId bucket, TableId table, std::span<const RowRef> rows) {
  if (rows.empty()) return ok();
  State& s = *state_;
  const RowsTable* shape = nullptr;
  for (const RowsTable& t : s.header.tables) if (t.table == table) shape = &t;
  CHECK(shape != nullptr);
  const std::uint64_t place = (std::uint64_t{bucket.value} << 8 | static_cast<std::uint64_t>(table)) + 1;
  CHECK_GT(place, s.last);
  s.last = place;
  ++s.sections;
  const layout::Section section{bucket.value, static_cast<std::uint32_t>(table), rows.size()};
  s.put(&section, sizeof section);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(i == 0 || rows[i - 1].key < rows[i].key);
    s.put(&rows[i].key, sizeof(RowKey));
  }
  for (const RowRef& row : rows) s.put(&row.count, sizeof row.count);
  s.pad();
  for (const RowRef& row : rows) s.put(row.data, (std::size_t{shape->dim} + shape->slots) * sizeof(float));
  s.pad();
  return s.error == 0 ? ok() : Status(s.failed("cannot write", s.error));
}

Result<Written> RowsWriter::finish() {
  State& s = *state_;
  const layout::Section end{layout::kEnd, layout::kEnd, s.sections};
  s.put(&end, sizeof end);
  const std::uint64_t digest = s.digest.value();
  s.put(&digest, sizeof digest);
  s.flush();
  if (s.error != 0) return s.failed("cannot write", s.error);
  if (::fsync(s.fd) != 0) return s.failed("cannot sync", errno);
  ::close(s.fd);
  s.fd = -1;
  if (::rename(s.temporary.c_str(), s.path.c_str()) != 0) {
    const int number = errno;
    ::unlink(s.temporary.c_str());
    return s.failed("cannot rename", number);
  }
  const int folder = ::open(s.path.parent_path().empty() ? "." : s.path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);   // the name, too, survives a crash
    ::close(folder);
  }
  return Written{s.bytes, s.digest.value()};
}

}  // namespace dyad::ckpt
