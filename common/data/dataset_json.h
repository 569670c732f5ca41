#pragma once
// dataset.json: what the folder holds. Internal to common/data; tools read it through Dataset.
#include "common/io/atomic_file.h"
#include <map>
#include <vector>

namespace dyad::data {

inline constexpr int kDatasetVersion = 1;

struct DatasetFacts {
  std::uint64_t users = 0, items = 0, events = 0;
  std::vector<std::uint64_t> partition_end;           // events of each partition that belong to the dataset
  std::vector<std::uint64_t> partition_digest;        // digest64 of those events as an array of Event
  std::map<std::string, io::FileFacts> files;         // catalogue.jsonl, users.txt
};
std::string to_json(const DatasetFacts& facts);
Result<DatasetFacts> parse_dataset_json(std::string_view text, const std::string& file);
std::uint64_t digest_of(const DatasetFacts& facts);   // of the log and the catalogue

}  // namespace dyad::data
