#include "common/data/dataset_json.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include "common/base/printable.h"

namespace dyad::data {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t unhex(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

}  // namespace

std::string to_json(const DatasetFacts& facts) {
  Json out = {{"format", "dyad dataset"}, {"version", kDatasetVersion}, {"users", facts.users}, {"items", facts.items},
              {"events", facts.events}, {"digest", hex64(digest_of(facts))}};
  for (std::size_t p = 0; p < facts.partition_end.size(); ++p)
    out["partitions"].push_back({{"end", facts.partition_end[p]}, {"digest", hex64(facts.partition_digest[p])}});
  for (const auto& [name, file] : facts.files)
    out["files"][name] = {{"bytes", file.bytes}, {"digest", hex64(file.digest)}};
  return out.dump(2) + "\n";
}

// The one place where nlohmann's exceptions of this file's fields are caught.
Result<DatasetFacts> parse_dataset_json(std::string_view text, const std::string& file) {
  try {
    const Json in = Json::parse(text);
    if (in.at("format") != "dyad dataset") return fail(Code::kInvalid, "{}: not a dataset of Dyad", file);
    const int version = in.at("version").get<int>();
    if (version > kDatasetVersion)
      return fail(Code::kInvalid, "{}: version {}, this program reads up to {}; use a newer Dyad", file, version,
                  kDatasetVersion);
    DatasetFacts facts{in.at("users").get<std::uint64_t>(), in.at("items").get<std::uint64_t>(),
                       in.at("events").get<std::uint64_t>()};
    for (const Json& p : in.at("partitions")) {
      facts.partition_end.push_back(p.at("end").get<std::uint64_t>());
      facts.partition_digest.push_back(unhex(p.at("digest").get<std::string>()));
    }
    for (const auto& [name, f] : in.at("files").items())
      facts.files[name] = {f.at("bytes").get<std::uint64_t>(), unhex(f.at("digest").get<std::string>())};
    if (hex64(digest_of(facts)) != in.at("digest").get<std::string>())
      return fail(Code::kInvalid, "{}: its digest does not fit its content, the file was altered; import again", file);
    return facts;
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::kInvalid, "{}: {}", file, printable(error.what(), 200));
  }
}

std::uint64_t digest_of(const DatasetFacts& facts) {
  std::string text = fmt::format("{} {} {}", facts.users, facts.items, facts.events);
  for (std::size_t p = 0; p < facts.partition_end.size(); ++p)
    text += fmt::format(" {}:{}", facts.partition_end[p], facts.partition_digest[p]);
  for (const auto& [name, file] : facts.files) text += fmt::format(" {}:{}:{}", name, file.bytes, file.digest);
  return digest64(text);
}

}  // namespace dyad::data
