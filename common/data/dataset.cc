#include "common/data/dataset.h"

#include <algorithm>
#include "common/base/check.h"
#include "common/data/catalogue.h"
#include "common/data/dataset_json.h"
#include "common/data/log_reader.h"

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
  std::vector<Event> events;
  const std::uint64_t end = facts.partition_end[partition.value];
  events.reserve(end);
  DYAD_TRYV(log.read(partition, 0, end, [&](std::uint64_t, std::span<const Event> part) {
    events.insert(events.end(), part.begin(), part.end());
    return ok();
  }));
  if (digest64(std::as_bytes(std::span(events))) != facts.partition_digest[partition.value])
    return fail(Code::kInvalid, "{}: partition {} of the log is not the one that dataset.json describes; import again",
                dir, partition);
  for (std::size_t i = 0; i < events.size(); ++i)
    if (events[i].user.value >= facts.users || events[i].item.value >= facts.items)
      return fail(Code::kInvalid, "{}: partition {} offset {}: user {} or item {} is out of range", dir, partition, i,
                  events[i].user, events[i].item);
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

Result<Dataset> Dataset::open(const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "dataset.json";
  if (!std::filesystem::exists(file))
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

// Two passes, a counting sort by user that keeps the log order within each.
Status Dataset::load_events(LogSource& log, const DatasetFacts& facts) {
  std::vector<std::vector<Event>> parts;
  user_begin_.assign(facts.users + 1, 0);
  for (std::uint32_t p = 0; p < log.partitions(); ++p) {
    DYAD_TRY(events, read_partition(log, PartitionId{p}, facts, dir_.string()));
    for (const Event& event : events) ++user_begin_[event.user.value + 1];
    parts.push_back(std::move(events));
  }
  for (std::size_t u = 0; u < facts.users; ++u) user_begin_[u + 1] += user_begin_[u];
  if (user_begin_.back() != facts.events)
    return fail(Code::kInvalid, "{}: {} events, dataset.json says {}", dir_.string(), user_begin_.back(), facts.events);
  sequence_.resize(facts.events);
  times_.resize(facts.events);
  positions_.resize(facts.events);
  std::vector<std::size_t> next(user_begin_.begin(), user_begin_.end() - 1);
  for (std::uint32_t p = 0; p < parts.size(); ++p) {
    for (std::size_t i = 0; i < parts[p].size(); ++i) {
      const Event& event = parts[p][i];
      const std::size_t at = next[event.user.value]++;
      sequence_[at] = event.item;
      times_[at] = event.time_s;
      positions_[at] = {PartitionId{p}, i};
    }
    parts[p] = {};
  }
  return ok();
}

std::span<const ItemId> Dataset::sequence(UserId user) const {
  return std::span(sequence_).subspan(user_begin_[user.value], user_begin_[user.value + 1] - user_begin_[user.value]);
}
std::span<const std::int64_t> Dataset::times(UserId user) const {
  return std::span(times_).subspan(user_begin_[user.value], user_begin_[user.value + 1] - user_begin_[user.value]);
}
std::span<const Position> Dataset::positions(UserId user) const {
  return std::span(positions_).subspan(user_begin_[user.value], user_begin_[user.value + 1] - user_begin_[user.value]);
}

}  // namespace dyad::data
