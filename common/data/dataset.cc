#include "common/data/dataset.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include "common/base/check.h"
#include "common/data/catalogue.h"
#include "common/data/dataset_json.h"
#include "common/data/log_reader.h"
#include "common/data/log_segment.h"
#include "common/io/files.h"

namespace dyad::data {
namespace {

Result<std::string> read_checked(const std::filesystem::path& dir, const std::string& name, const DatasetFacts& facts) {
  const auto found = facts.files.find(name);
  if (found == facts.files.end())
    return fail(Code::kInvalid, "{}: does not list {}", (dir / "dataset.json").string(), name);
  DYAD_TRY(text, io::read_file(dir / name));
  if (text.size() != found->second.bytes || digest64(text) != found->second.digest)
    return fail(Code::kInvalid, "{}: differs from what dataset.json says of it (cut or altered); import again",
                (dir / name).string());
  return std::move(text);
}

// All events of one partition, checked against the digest and the ranges of ids.
Result<std::vector<Event>> read_partition(LogSource& log, PartitionId partition, const DatasetFacts& facts,
                                          const std::string& dir) {
  std::vector<Event> events;                       // grows with what the log holds: dataset.json's number may be wrong
  const std::uint64_t end = facts.partition_end[partition.value];
  if (end > UINT32_MAX)
    return fail(Code::kInvalid, "{}: partition {} of the log has {} events, at most {} are read; import with more "
                "--partitions", dir, partition, end, UINT32_MAX);
  DYAD_TRYV(log.read(partition, 0, end, [&](std::uint64_t, std::span<const Event> part) {
    events.insert(events.end(), part.begin(), part.end());
    return ok();
  }));
  if (digest64(std::as_bytes(std::span(events))) != facts.partition_digest[partition.value])
    return fail(Code::kInvalid, "{}: partition {} of the log is not the one that dataset.json describes; import again",
                dir, partition);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].user.value >= facts.users || events[i].item.value >= facts.items)
      return fail(Code::kInvalid, "{}: partition {} offset {}: user {} or item {} is out of range", dir, partition, i,
                  events[i].user, events[i].item);
    if (partition_of(events[i].user, log.partitions()) != partition)
      return fail(Code::kInvalid, "{}: partition {} offset {}: user {} belongs to another partition; import again", dir,
                  partition, i, events[i].user);
  }
  return events;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

// Of a folder with a dataset.json all of it must be there: what is missing is damaged, as what is cut.
Result<Dataset> Dataset::open(const std::filesystem::path& dir) {
  const auto there = io::exists(dir / "dataset.json");
  auto opened = open_parts(dir);
  if (opened || opened.error().code != Code::kNotFound || !there || !there.value()) return opened;
  return fail(Code::kInvalid, "{}; the dataset is damaged, import again", opened.error().message);
}

Result<Dataset> Dataset::open_parts(const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "dataset.json";
  DYAD_TRY(there, io::exists(file));
  if (!there)
    return fail(Code::kNotFound, "{}: no dataset here (no dataset.json); make one with `dyad import` or `dyad synth`",
                dir.string());
  DYAD_TRY(text, io::read_file(file));
  DYAD_TRY(facts, parse_dataset_json(text, file.string()));
  DYAD_TRY(catalogue, read_checked(dir, "catalogue.jsonl", facts));
  DYAD_TRY(users, read_checked(dir, "users.txt", facts));
  Dataset out;
  out.dir_ = dir;
  out.digest_ = digest_of(facts);
  DYAD_TRY(items, parse_catalogue(catalogue, (dir / "catalogue.jsonl").string()));
  out.items_ = std::move(items);
  out.keys_digest_ = digest_of_keys(out.items_);
  out.user_keys_ = lines_of(users);
  if (out.items_.size() != facts.items || out.user_keys_.size() != facts.users)
    return fail(Code::kInvalid, "{}: {} items and {} users, the files beside it hold {} and {}", file.string(),
                facts.items, facts.users, out.items_.size(), out.user_keys_.size());
  DYAD_TRY(log, open_directory_log(dir / "log"));
  if (log->partitions() != facts.partition_end.size())
    return fail(Code::kInvalid, "{}: {} partitions, dataset.json lists {}", (dir / "log").string(), log->partitions(),
                facts.partition_end.size());
  DYAD_TRYV(out.load_events(*log, facts));
  return out;
}

Status Dataset::load_events(LogSource& log, const DatasetFacts& facts) {
  const auto& ends = facts.partition_end;
  const std::uint64_t events = std::accumulate(ends.begin(), ends.end(), std::uint64_t{0});
  if (events != facts.events)
    return fail(Code::kInvalid, "{}: {} events, dataset.json says {}", dir_.string(), events, facts.events);
  partitions_ = log.partitions();
  for (std::uint32_t p = 0; p < partitions_; ++p) {        // before any room is made for what dataset.json claims
    DYAD_TRY(end, log.end(PartitionId{p}));
    if (end < ends[p])
      return fail(Code::kInvalid, "{}: the log ends at offset {}, dataset.json says {}: a segment is cut, emptied or "
                  "gone; import again", log::partition_folder(dir_ / "log", PartitionId{p}).string(), end, ends[p]);
  }
  ranges_.assign(facts.users, {});
  sequence_.reserve(events);
  offsets_.reserve(events);
  for (std::uint32_t p = 0; p < partitions_; ++p) {
    DYAD_TRY(part, read_partition(log, PartitionId{p}, facts, dir_.string()));
    append_partition(part);
  }
  return ok();
}

// Two passes, a counting sort by user that keeps the log order within each; users in the order of their first events.
void Dataset::append_partition(std::span<const Event> events) {
  constexpr std::size_t kCounting = SIZE_MAX;              // in `begin`: `end` is how many events the user has
  for (const Event& event : events) {
    Range& range = ranges_[event.user.value];
    range = {kCounting, range.end + 1};
  }
  std::size_t free = sequence_.size();
  sequence_.resize(free + events.size());
  offsets_.resize(free + events.size());
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    Range& range = ranges_[events[i].user.value];
    if (range.begin == kCounting) {
      range.begin = free;
      free += std::exchange(range.end, range.begin);
    }
    sequence_[range.end] = events[i].item;
    offsets_[range.end++] = i;
  }
}

std::span<const ItemId> Dataset::sequence(UserId user) const {
  const Range range = ranges_[user.value];
  return std::span(sequence_).subspan(range.begin, range.end - range.begin);
}
Position Dataset::position(UserId user, std::size_t index) const {
  return {partition_of(user, partitions_), offsets_[ranges_[user.value].begin + index]};
}

}  // namespace dyad::data
