// A dataset folder (common/data/dataset.h) whose digests all fit:
//   | users, items, events, end of partition u64 | catalogue.jsonl | users.txt | segment | index |
#include "common/data/dataset.h"
#include "common/data/dataset_json.h"
#include "common/data/dataset_writer.h"
#include "common/data/log_reader.h"
#include "common/data/samples.h"
#include "tests/fuzz/log_bytes.h"

namespace dyad::fuzz {
namespace {

constexpr const char* kSegment = "log/p0000/00000000.seg";
constexpr const char* kIndex = "log/p0000/00000000.idx";

io::FileFacts facts_of(const std::string& text) { return {text.size(), digest64(text)}; }

// Of the first `end` events of partition 0, as dataset.json would say it.
std::uint64_t digest_of_events(std::uint64_t end) {
  std::vector<data::Event> events;
  (void)data::open_directory_log(folder() / "log").value()->read(
      PartitionId{0}, 0, end, [&](std::uint64_t, std::span<const data::Event> part) {
        events.insert(events.end(), part.begin(), part.end());
        return ok();
      });
  return digest64(std::as_bytes(std::span(events)));
}

// Every accessor over its whole range.
void use(const data::Dataset& dataset) {
  std::size_t events = 0;
  for (std::uint32_t u = 0; u < dataset.users(); ++u) {
    const UserId user{u};
    (void)dataset.user_key(user);
    for (const ItemId item : dataset.sequence(user)) CHECK(!dataset.item(item).key.empty());
    for (std::size_t i = 0; i < dataset.sequence(user).size(); ++i, ++events) (void)dataset.position(user, i);
  }
  CHECK_EQ(events, dataset.events());
  for (const auto split : {data::Split::kTrain, data::Split::kValidation, data::Split::kTest})
    for (const data::Sample& sample : data::samples(dataset, split))
      CHECK_LE(data::history(dataset, sample, 3).size(), sample.target);
}

}  // namespace

std::vector<std::string> seeds() {
  const std::filesystem::path dir = folder() / "seed";
  data::DatasetWriterOptions options;
  options.log.partitions = 1;
  auto writer = data::DatasetWriter::create(dir, options).value();
  for (std::uint32_t i = 0; i < 12; ++i) CHECK(writer.append({UserId{i % 2}, ItemId{i % 3}, 100 + i}).has_value());
  CHECK(writer.finish(std::vector<data::Item>{{"a", "A"}, {"b", "B"}, {"c"}}, std::vector<std::string>{"u", "v"})
            .has_value());
  std::string numbers(32, '\0');
  for (std::size_t i = 0; i < 4; ++i) put_number(numbers, 8 * i, std::uint64_t{i == 0 ? 2u : i == 1 ? 3u : 12u});
  const std::string seed = join({numbers, bytes_of(dir / "catalogue.jsonl"), bytes_of(dir / "users.txt"),
                                 bytes_of(dir / kSegment), bytes_of(dir / kIndex)});
  std::filesystem::remove_all(dir);
  return {seed};
}

void decode(std::string_view bytes) {
  std::vector<std::string> parts = split(bytes, 5);
  parts[0].resize(32);
  std::filesystem::create_directories(folder() / "log/p0000");
  put("catalogue.jsonl", parts[1]);
  put("users.txt", parts[2]);
  put(kSegment, with_batch_checksums(parts[3]));
  put(kIndex, with_entry_checksums(parts[4]));
  const auto number = [&](std::size_t i) { return number_at<std::uint64_t>(parts[0], 8 * i); };
  put("dataset.json", data::to_json({number(0), number(1), number(2), {number(3)}, {digest_of_events(number(3))},
                                     {{"catalogue.jsonl", facts_of(parts[1])}, {"users.txt", facts_of(parts[2])}}}));
  if (const auto dataset = data::Dataset::open(folder())) use(dataset.value());
}

}  // namespace dyad::fuzz
