#include "common/data/dataset_writer.h"

#include <algorithm>
#include "common/base/check.h"
#include "common/data/catalogue.h"
#include "common/data/dataset_json.h"

namespace dyad::data {
namespace {

Result<io::FileFacts> write_catalogue(const std::filesystem::path& path, std::span<const Item> items) {
  DYAD_TRY(file, io::AtomicFile::create(path));
  for (const Item& item : items) {
    DYAD_TRYV(file.write(catalogue_line(item)));
    DYAD_TRYV(file.write("\n"));
  }
  return file.commit();
}

Result<io::FileFacts> write_users(const std::filesystem::path& path, std::span<const std::string> users) {
  DYAD_TRY(file, io::AtomicFile::create(path));
  for (std::size_t u = 0; u < users.size(); ++u) {
    if (users[u].empty() || users[u].find_first_of("\r\n") != std::string::npos)
      return fail(Code::kInvalid, "user {}: its id is empty or holds a line break", u);
    DYAD_TRYV(file.write(users[u]));
    DYAD_TRYV(file.write("\n"));
  }
  return file.commit();
}

// The files that a dataset folder has (dataset.h), and temporaries that a killed command left of them.
bool is_of_a_dataset(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), folder = file.parent_path().string();
  const std::string kind = file.extension().string();
  if (name.starts_with('.') && name.find(".tmp-") != std::string::npos) return true;
  if (folder.empty()) return name == "dataset.json" || name == "catalogue.jsonl" || name == "users.txt";
  if (folder == "vectors" || folder == "codes") return kind == ".safetensors";
  return folder.starts_with("log/p") && (kind == ".seg" || kind == ".idx");
}

}  // namespace

DatasetWriter::DatasetWriter(io::StagedFolder folder, LogWriter log, const DatasetWriterOptions& options)
    : folder_(std::move(folder)), log_(std::move(log)), options_(options) {}

Result<DatasetWriter> DatasetWriter::create(const std::filesystem::path& dir, const DatasetWriterOptions& options) {
  DYAD_TRY(folder, io::StagedFolder::create(dir, {options.force, "dataset.json", is_of_a_dataset}));
  DYAD_TRY(log, LogWriter::open(folder.path() / "log", options.log));
  return DatasetWriter(std::move(folder), std::move(log), options);
}

Status DatasetWriter::append(const Event& event) {
  users_seen_ = std::max<std::uint64_t>(users_seen_, std::uint64_t{event.user.value} + 1);
  items_seen_ = std::max<std::uint64_t>(items_seen_, std::uint64_t{event.item.value} + 1);
  return log_.append(event);
}

Status DatasetWriter::finish(std::span<const Item> items, std::span<const std::string> users) {
  CHECK_LE(users_seen_, users.size());
  CHECK_LE(items_seen_, items.size());
  DYAD_TRYV(log_.close());
  DatasetFacts facts;
  facts.users = users.size();
  facts.items = items.size();
  for (std::uint32_t p = 0; p < options_.log.partitions; ++p) {
    facts.partition_end.push_back(log_.end(PartitionId{p}));
    facts.partition_digest.push_back(log_.digest(PartitionId{p}));
    facts.events += facts.partition_end.back();
  }
  DYAD_TRY(catalogue, write_catalogue(staged() / "catalogue.jsonl", items));
  DYAD_TRY(keys, write_users(staged() / "users.txt", users));
  facts.files = {{"catalogue.jsonl", catalogue}, {"users.txt", keys}};
  DYAD_TRYV(io::write_file_atomic(staged() / "dataset.json", to_json(facts)));
  return folder_.commit();
}

}  // namespace dyad::data
